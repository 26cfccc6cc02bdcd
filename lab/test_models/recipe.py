"""What decides how a built model comes out: its settings and the sources that made it."""

from collections.abc import Mapping, Sequence
from importlib.resources import as_file, files

from classifiers.runs.digests import digest_of, file_digest


def recipe_of(settings: object, modules: Mapping[str, Sequence[str]]) -> str:
    """The digest of settings, as JSON can hold them, and of the modules named by package."""
    return digest_of(
        [
            settings,
            [[p, name, _source_digest(p, name)] for p, names in modules.items() for name in names],
        ]
    )


def _source_digest(package: str, module: str) -> str | None:
    with as_file(files(package) / f"{module}.py") as source:
        return file_digest(source)
