"""A learned corruption: read as it was written, and for the model it was learned for alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guard.artifacts.folder import write
from guard.artifacts.manifest import draft
from guard.corruption.embedding_table import EmbeddingTable
from guard.corruption.functions import Corruption
from guard.corruption.learned import KIND, LearnedCorruption, stated_corruption, tokens_of
from guard.corruption.rewriting import open_rewriter
from guard.settings import Settings
from guard.terms.errors import ArtifactError
from tests.guard.corruption.checkpoints import random_rows, write_checkpoint

BFLOAT = np.dtype(np.float32)


def model(folder: Path, width: int = 16, rows: int = 300) -> EmbeddingTable:
    return EmbeddingTable.open(write_checkpoint(folder, random_rows(rows, width, BFLOAT)))


def artifact(folder: Path, opened: EmbeddingTable, **recipe: Any) -> Path:
    learned = {"kind": "rand_noise_top_k", "dims": 4, "strength": 0.5}
    learned |= {"width": opened.width, "table": opened.digest, **recipe}
    write(folder, draft(KIND, "learned", recipe=learned))
    return folder


def settings(path: Path, *models: Path) -> Settings:
    return Settings.model_validate(
        {
            "upstream": {"url": "http://127.0.0.1:1"},
            "models": {f"m{at}": {"path": str(folder)} for at, folder in enumerate(models)},
            "corruption": {"path": str(path)},
        }
    )


def test_the_artifact_is_what_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOGUARD_CORRUPTION_KEY", "key")
    table = model(tmp_path / "model")
    folder = artifact(tmp_path / "a", table)
    learned = LearnedCorruption.load(folder)
    assert learned.corruption == Corruption("rand_noise_top_k", 4, 0.5)
    assert stated_corruption(settings(folder)) == learned.corruption
    rewriter = open_rewriter(settings(folder, tmp_path / "model"))
    assert rewriter._corruption == learned.corruption


@pytest.mark.parametrize(
    ("learned", "stated", "expected"),
    [
        ("names", {}, "names"),
        ("all", {}, "all"),
        ("all", {"tokens": "names"}, "names"),
        (None, {}, "names"),
        (None, {"kind": "zero_out_first_n"}, "all"),
        (None, {"tokens": "all"}, "all"),
    ],
)
def test_which_tokens_is_stated_learned_or_the_default(
    tmp_path: Path, learned: str | None, stated: dict[str, Any], expected: str
) -> None:
    path = artifact(tmp_path / "a", model(tmp_path / "model"), tokens=learned) if learned else None
    content = {"path": str(path), **stated} if path else stated
    found = Settings.model_validate(
        {"upstream": {"url": "http://127.0.0.1:1"}, "corruption": content}
    )
    assert tokens_of(found, LearnedCorruption.load(path) if path else None) == expected


def test_older_artifacts_say_no_tokens_and_a_strange_word_is_refused(tmp_path: Path) -> None:
    table = model(tmp_path / "model")
    assert LearnedCorruption.load(artifact(tmp_path / "old", table)).tokens == "all"
    with pytest.raises(ArtifactError, match=r"recipe\.tokens: expected all or names"):
        LearnedCorruption.load(artifact(tmp_path / "strange", table, tokens="some"))


def test_another_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOGUARD_CORRUPTION_KEY", "key")
    folder = artifact(tmp_path / "a", model(tmp_path / "model"))
    model(tmp_path / "wide", width=32)
    with pytest.raises(ArtifactError, match=r"recipe\.width: learned for hidden size 16"):
        open_rewriter(settings(folder, tmp_path / "wide"))
    model(tmp_path / "other", rows=320)
    with pytest.raises(ArtifactError, match=r"recipe\.table: learned on other token embeddings"):
        open_rewriter(settings(folder, tmp_path / "model", tmp_path / "other"))


@pytest.mark.parametrize(
    ("recipe", "field"),
    [
        ({"kind": "shuffle"}, "recipe: corruption kind"),
        ({"dims": 17}, r"recipe\.width"),
        ({"dims": True}, r"recipe\.dims"),
        ({"strength": 0.0}, "recipe: corruption strength"),
        ({"strength": "1"}, r"recipe\.strength"),
        ({"table": None}, r"recipe\.table"),
    ],
)
def test_a_recipe_that_cannot_be_is_named(
    tmp_path: Path, recipe: dict[str, Any], field: str
) -> None:
    folder = artifact(tmp_path / "a", model(tmp_path / "model"), **recipe)
    with pytest.raises(ArtifactError, match=field):
        LearnedCorruption.load(folder)


def test_a_detectors_artifact_is_no_corruption(tmp_path: Path) -> None:
    write(tmp_path / "a", draft("forget", "x"))
    with pytest.raises(ArtifactError, match="kind"):
        LearnedCorruption.load(tmp_path / "a")


def test_a_digest_follows_from_the_rows(tmp_path: Path) -> None:
    table = model(tmp_path / "one")
    assert table.digest == model(tmp_path / "two").digest
    changed = random_rows(300, 16, BFLOAT)
    changed[150, 3] += 1
    other = EmbeddingTable.open(write_checkpoint(tmp_path / "three", changed))
    assert other.digest != table.digest


STATED = {"kind": "rand_noise_first_n", "dims": 3, "strength": 2}


def test_a_configuration_states_its_corruption_itself() -> None:
    told = {"upstream": {"url": "http://127.0.0.1:1"}, "corruption": STATED}
    chosen = stated_corruption(Settings.model_validate(told))
    assert chosen == Corruption("rand_noise_first_n", 3, 2.0)
