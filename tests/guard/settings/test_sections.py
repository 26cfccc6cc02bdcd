"""Types that sections share: paths lead on from the configuration's folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import AfterValidator, BaseModel

from guard.settings import ArtifactDetector, Settings
from guard.settings.sections import _anchored


def paths(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Every path in a section and those inside it, and whether it is anchored."""
    for name, info in model.model_fields.items():
        anchored = any(_anchors(note) for note in info.metadata)
        yield from _paths(info.annotation, f"{prefix}{name}", anchored)


def _paths(annotation: Any, name: str, anchored: bool) -> Iterator[tuple[str, bool]]:
    if annotation is Path:
        yield name, anchored
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from paths(annotation, f"{name}.")
    notes = getattr(annotation, "__metadata__", ())
    for argument in get_args(annotation):
        yield from _paths(argument, name, anchored or any(_anchors(note) for note in notes))


def _anchors(note: object) -> bool:
    return isinstance(note, AfterValidator) and note.func is _anchored


def test_every_path_of_the_configuration_is_relative_to_its_file() -> None:
    found = dict(paths(Settings))

    assert {"encoder.path", "keys_file", "listen.tls.client_ca", "redis.ca"} <= found.keys()
    assert not [name for name, anchored in found.items() if not anchored]


def test_a_canarys_path_is_relative_too() -> None:
    content = {"kind": "artifact", "path": "a", "canary": {"path": "b", "share": 0.1}}

    detector = ArtifactDetector.model_validate(content, context={"folder": Path("/etc/guard")})

    assert detector.path == Path("/etc/guard/a")
    assert detector.canary is not None
    assert detector.canary.path == Path("/etc/guard/b")


def test_without_a_file_paths_stay_as_they_are() -> None:
    detector = ArtifactDetector.model_validate({"kind": "artifact", "path": "a"})

    assert detector.path == Path("a")
