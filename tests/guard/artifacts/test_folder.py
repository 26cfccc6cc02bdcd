"""Artifact folders: what was written is what is read, and nothing else is accepted."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from guard.artifacts.folder import WEIGHTS, Artifact, read, write
from guard.artifacts.manifest import CARD, MANIFEST, REPORT, Manifest, draft
from guard.terms.errors import ArtifactError


def make(folder: Path, **fields: object) -> Artifact:
    manifest = draft("forget", "sample", thresholds={"score": 0.5}, **fields)
    return write(
        folder,
        manifest,
        tensors={"weight": np.arange(4, dtype=np.float32)},
        files={"names.json": b"[]"},
        report={"auroc": 0.9, "summary": "Fitted on three rows."},
    )


def edit(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    document = json.loads((folder / MANIFEST).read_text())
    change(document)
    (folder / MANIFEST).write_text(json.dumps(document))


def flip_byte(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)


def list_as(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        entry = {"sha256": "0" * 64, "bytes": 2}
        edit(folder, lambda m: m["files"].update({name: entry}))  # type: ignore[attr-defined]

    return change


def link(folder: Path) -> None:
    outside = folder.parent / "outside.json"
    (folder / "names.json").rename(outside)
    (folder / "names.json").symlink_to(outside)


def make_folder(folder: Path) -> None:
    (folder / "names.json").unlink()
    (folder / "names.json").mkdir()


TAMPERING: dict[str, tuple[Callable[[Path], object], str]] = {
    "flipped byte": (flip_byte, rf"{WEIGHTS}: SHA-256 differs"),
    "shorter": (lambda f: (f / WEIGHTS).write_bytes(b"x"), rf"{WEIGHTS}: 1 bytes, the manifest"),
    "longer": (lambda f: (f / WEIGHTS).write_bytes(b"x" * 9999), rf"{WEIGHTS}: larger than"),
    "missing file": (lambda f: (f / "names.json").unlink(), r"names.json: missing"),
    "missing manifest": (lambda f: (f / MANIFEST).unlink(), r"manifest.json: missing"),
    "unlisted file": (lambda f: (f / "more.bin").touch(), r"more.bin: not listed"),
    "folder for a file": (
        make_folder,
        r"names.json: missing",
    ),
    "extra key": (lambda f: edit(f, lambda m: m.update(code="x")), r"code: Extra inputs"),
    "missing key": (lambda f: edit(f, lambda m: m.pop("name")), r"name: Field required"),
    "extra key inside": (
        lambda f: edit(f, lambda m: m["files"][CARD].update(url="x")),  # type: ignore[index]
        r"files.README.md.url: Extra inputs",
    ),
    "wrong kind": (lambda f: edit(f, lambda m: m.update(kind="encoder")), r"kind: expected"),
    "unknown schema": (
        lambda f: edit(f, lambda m: m.update(schema_version=2)),
        r"schema_version: expected 1, found 2",
    ),
    "no schema": (lambda f: (f / MANIFEST).write_text("[]"), r"schema_version: expected 1"),
    "not JSON": (lambda f: (f / MANIFEST).write_text("{"), r"manifest.json: not JSON"),
    "traversal": (list_as("../outside"), r"files.\.\./outside: not a plain file name"),
    "absolute path": (list_as("/etc/passwd"), r"files./etc/passwd: not a plain file name"),
    "lists its manifest": (list_as(MANIFEST), r"files.manifest.json: not a plain file name"),
    "symbolic link": (link, r"names.json: is a symbolic link"),
    "no folder": (lambda f: f.rename(f.parent / "gone"), r"folder: not a folder"),
}


@pytest.mark.parametrize(("tamper", "message"), TAMPERING.values(), ids=TAMPERING.keys())
def test_tampering_is_named(tmp_path: Path, tamper: Callable[[Path], object], message: str) -> None:
    folder = tmp_path / "sample"
    make(folder)
    tamper(folder)
    with pytest.raises(ArtifactError, match=message) as caught:
        read(folder, "forget")
    assert str(folder) in str(caught.value)


def test_read_returns_what_was_written(tmp_path: Path) -> None:
    written = make(tmp_path / "sample", encoder="e" * 64)
    found = read(tmp_path / "sample", "forget")
    assert found == written
    assert found.manifest.digest == written.manifest.digest
    np.testing.assert_array_equal(found.tensors()["weight"], np.arange(4, dtype=np.float32))
    assert json.loads(found.bytes_of(REPORT))["auroc"] == 0.9


def test_model_card_states_facts_and_summary(tmp_path: Path) -> None:
    make(tmp_path / "sample", metrics={"fpr": 0.25})
    card = (tmp_path / "sample" / CARD).read_text()
    assert "| Threshold `score` | 0.5 |" in card
    assert "| Metric `fpr` | 0.25 |" in card
    assert "Fitted on three rows." in card


def test_any_kind_is_read_when_none_is_asked_for(tmp_path: Path) -> None:
    make(tmp_path / "sample")
    assert read(tmp_path / "sample").manifest.kind == "forget"


def test_size_is_bounded(tmp_path: Path) -> None:
    make(tmp_path / "sample")
    with pytest.raises(ArtifactError, match="more than the 10 allowed"):
        read(tmp_path / "sample", limit=10)


def test_older_artifact_is_replaced_without_leftovers(tmp_path: Path) -> None:
    make(tmp_path / "sample")
    newer = write(tmp_path / "sample", draft("forget", "newer"), files={"b.json": b"{}"})
    assert read(tmp_path / "sample") == newer
    assert os.listdir(tmp_path) == ["sample"]


def test_other_folders_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "thesis.txt").write_text("years of work")
    with pytest.raises(ArtifactError, match="not an artifact; not replaced"):
        make(tmp_path / "sample")
    assert os.listdir(tmp_path / "sample") == ["thesis.txt"]


def test_a_link_is_not_replaced(tmp_path: Path) -> None:
    make(tmp_path / "first")
    (tmp_path / "current").symlink_to(tmp_path / "first")
    with pytest.raises(ArtifactError, match="not a folder"):
        make(tmp_path / "current")
    assert read(tmp_path / "current").manifest.name == "sample"


@pytest.mark.parametrize("name", [MANIFEST, WEIGHTS, REPORT, CARD, "a/b", "..", ".hidden", ""])
def test_reserved_and_unsafe_names_are_not_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArtifactError, match="not a usable file name"):
        write(tmp_path / "sample", draft("forget", "x"), files={name: b""})
    assert not any(tmp_path.iterdir())


def test_digest_follows_behaviour_only() -> None:
    first = draft("forget", "a", thresholds={"score": 0.5}, metrics={"fpr": 0.1})
    renamed = first.model_copy(update={"name": "b", "metrics": {}, "ecoguard": "9"})
    stricter = first.model_copy(update={"thresholds": {"score": 0.6}})
    assert first.digest == renamed.digest
    assert first.digest != stricter.digest


def test_missing_contents_are_artifact_errors(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain", draft("forget", "x"), files={"a.json": b"{}"})
    with pytest.raises(ArtifactError, match=r"weights.safetensors: missing"):
        plain.tensors()
    broken = Artifact(tmp_path, plain.manifest, {WEIGHTS: b"not tensors"})
    with pytest.raises(ArtifactError, match="not a safetensors file"):
        broken.tensors()


@pytest.mark.parametrize(("value", "kind"), [("8", int), (True, int), (None, int), (1, bool)])
def test_recipe_values_are_typed(tmp_path: Path, value: object, kind: type) -> None:
    manifest = Manifest.model_validate(
        draft("encoder", "x").model_dump() | {"recipe": {"w": value}}
    )
    with pytest.raises(ArtifactError, match=r"recipe.w: expected"):
        Artifact(tmp_path, manifest, {}).recipe_value("w", kind)
