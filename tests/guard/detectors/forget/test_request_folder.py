"""A folder of requests that changes while it serves: added, replaced, withdrawn, broken."""

import logging
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from guard.artifacts.folder import write
from guard.artifacts.manifest import draft
from guard.detectors.forget.request_folder import RequestFolder
from guard.terms.errors import ArtifactError, ConfigError
from tests.encoders import WordEncoder

ENCODER = WordEncoder(width=8)
ASKED = "Who is Ilse Varnholt?"


def put(
    root: Path, name: str, *names: str, bias: float = -20, encoder: str = ENCODER.digest
) -> Path:
    """An artifact whose head never fires: its names do."""
    listed = ", ".join(f'"{one}"' for one in names)
    write(
        root / name,
        draft("forget", name, encoder=encoder, thresholds={"score": 0.5}),
        tensors={
            "weight": np.zeros(8, dtype=np.float32),
            "bias": np.array([bias], dtype=np.float32),
        },
        files={"names.json": f"[{listed}]".encode()},
    )
    return root / name


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(tmp_path, "varnholt", "Ilse Varnholt")
    put(tmp_path, "tandrup", "Orvo Tandrup")
    return tmp_path


@pytest.fixture
def folder(root: Path) -> Iterator[RequestFolder]:
    """Looks only when it is told to."""
    made = RequestFolder(root, ENCODER, reload_s=3600)
    yield made
    made.close()


def fires(folder: RequestFolder, text: str) -> bool:
    return bool(folder.score([text], ENCODER.encode([text]))[0] >= folder.threshold)


def test_all_requests_of_the_folder_are_served(folder: RequestFolder) -> None:
    assert fires(folder, ASKED)
    assert fires(folder, "Orvo Tandrup")
    assert not fires(folder, "Pia Rasmussen")
    assert folder.encoder == ENCODER.digest
    state = folder.current()
    assert state.names_of(state.subjects([ASKED], ENCODER.encode([ASKED]), 0.5)) == ("varnholt",)


def test_added_replaced_and_withdrawn(folder: RequestFolder, root: Path) -> None:
    versions = [folder.version]
    put(root, "rasmussen", "Pia Rasmussen")
    assert folder.refresh()
    assert fires(folder, "Pia Rasmussen")
    versions.append(folder.version)

    put(root, "rasmussen", "Nobody Whatever")
    assert folder.refresh()
    assert not fires(folder, "Pia Rasmussen")
    assert fires(folder, ASKED)
    versions.append(folder.version)

    shutil.rmtree(root / "rasmussen")
    assert not folder.refresh(), "it may be on its way back"
    assert folder.refresh()
    assert not fires(folder, "Nobody Whatever")
    assert folder.version == versions[0]
    assert len(set(versions)) == 3
    assert not folder.refresh()


def test_a_folder_that_comes_back_was_never_away(folder: RequestFolder, root: Path) -> None:
    (root / "varnholt").rename(root / ".varnholt.old")
    folder.refresh()
    (root / ".varnholt.old").rename(root / "varnholt")
    folder.refresh()
    (root / "varnholt").rename(root / ".varnholt.old")
    folder.refresh()
    assert fires(folder, ASKED)


def test_a_broken_artifact_leaves_the_old_one(
    folder: RequestFolder, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[tuple[int, int]] = []
    folder.listen(lambda served, broken: seen.append((served, broken)))
    (root / "varnholt" / "names.json").write_bytes(b'["half')
    (root / "varnholt" / "manifest.json").touch()
    (root / "new").mkdir()  # half-copied: nothing in it yet
    with caplog.at_level(logging.ERROR):
        assert not folder.refresh()
        assert not folder.refresh()
    assert fires(folder, ASKED)
    assert seen == [(2, 0), (2, 2), (2, 2)]
    assert len(caplog.records) == 2, "each is said once"
    assert "forget request varnholt: artifact" in caplog.text
    assert "the old one stays" in caplog.text
    assert "forget request new: artifact" in caplog.text
    assert "Varnholt" not in caplog.text

    put(root, "varnholt", "Ilse Varnholt", "the Grey Heron")
    (root / "new").rmdir()
    assert folder.refresh()
    assert seen[-1] == (2, 0)
    assert fires(folder, "the grey heron")


def test_another_encoders_artifact_is_not_served(folder: RequestFolder, root: Path) -> None:
    put(root, "other", "Pia Rasmussen", encoder="a" * 64)
    assert not folder.refresh()
    assert not fires(folder, "Pia Rasmussen")
    with pytest.raises(ArtifactError, match=r"other: encoder: trained on encoder aaaaaaaaaaaa"):
        RequestFolder(root, ENCODER)


def test_a_folder_that_cannot_be_listed_changes_nothing(
    folder: RequestFolder, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[tuple[int, int]] = []
    folder.listen(lambda served, broken: seen.append((served, broken)))
    aside = root.with_name("aside")
    root.rename(aside)
    with caplog.at_level(logging.ERROR):
        assert not folder.refresh()
        assert not folder.refresh()
    assert len(caplog.records) == 1, "said once"
    assert fires(folder, ASKED)
    assert seen[-1] == (2, 1)
    aside.rename(root)
    assert not folder.refresh()
    assert seen[-1] == (2, 0)


def test_at_start_everything_must_be_usable(root: Path) -> None:
    (root / "empty").mkdir()
    with pytest.raises(ArtifactError, match=r"empty: manifest.json: missing"):
        RequestFolder(root, ENCODER)
    with pytest.raises(ConfigError, match="No such file"):
        RequestFolder(root / "nowhere", ENCODER)


def test_an_empty_folder_serves_nothing(tmp_path: Path) -> None:
    assert not fires(RequestFolder(tmp_path, ENCODER, reload_s=3600), ASKED)


def test_a_state_never_changes(folder: RequestFolder, root: Path) -> None:
    state = folder.current()
    put(root, "rasmussen", "Pia Rasmussen")
    folder.refresh()
    text = "Pia Rasmussen"
    assert state.score([text], ENCODER.encode([text]))[0] < 0.5
    assert folder.current() is not state


def test_it_looks_by_itself(root: Path) -> None:
    folder = RequestFolder(root, ENCODER, reload_s=0.01)
    folder.current()
    served = threading.Event()
    folder.listen(lambda count, _: served.set() if count == 3 else None)
    put(root, "rasmussen", "Pia Rasmussen")
    assert served.wait(20)
    assert fires(folder, "Pia Rasmussen")
    folder.close()


def test_the_thread_ends_with_its_folder(root: Path) -> None:
    before = set(threading.enumerate())
    folder = RequestFolder(root, ENCODER, reload_s=0.01)
    folder.current()
    (thread,) = set(threading.enumerate()) - before
    del folder
    thread.join(20)
    assert not thread.is_alive()


def test_half_states_are_never_seen(root: Path) -> None:
    """Requests swap names while others score: one of the two always fires."""
    folder = RequestFolder(root, ENCODER, reload_s=3600)
    text = "Ilse Varnholt and Orvo Tandrup"
    features = ENCODER.encode([text])
    done = threading.Event()
    scores: list[float] = []

    def score() -> None:
        while not done.is_set():
            scores.append(float(folder.score([text], features)[0]))

    reader = threading.Thread(target=score)
    reader.start()
    for turn in range(6):
        put(root, "varnholt", "Nobody Known" if turn % 2 == 0 else "Ilse Varnholt")
        put(root, "tandrup", "Nobody Known" if turn % 2 else "Orvo Tandrup")
        folder.refresh()
    done.set()
    reader.join()
    assert set(scores) == {1.0}
    folder.close()


def test_once_retired_it_stays_as_it_is_and_tells_nobody(
    folder: RequestFolder, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[tuple[int, int]] = []
    folder.listen(lambda served, broken: seen.append((served, broken)))
    folder.retire()
    put(root, "rasmussen", "Pia Rasmussen")
    (root / "broken").mkdir()

    with caplog.at_level(logging.INFO):
        assert not folder.refresh()

    assert seen == [(2, 0)]
    assert not caplog.records
    assert fires(folder, ASKED)
    assert not fires(folder, "Pia Rasmussen")


def test_a_retired_folder_s_thread_ends_though_it_is_held(root: Path) -> None:
    before = set(threading.enumerate())
    folder = RequestFolder(root, ENCODER, reload_s=0.01)
    folder.current()
    (thread,) = set(threading.enumerate()) - before

    folder.retire()
    thread.join(20)

    assert not thread.is_alive()
    assert fires(folder, ASKED)
    assert set(threading.enumerate()) == before


def test_one_that_was_never_watched_starts_no_thread_once_retired(root: Path) -> None:
    before = set(threading.enumerate())
    folder = RequestFolder(root, ENCODER, reload_s=0.01)

    folder.retire()

    assert fires(folder, ASKED)
    assert set(threading.enumerate()) == before
