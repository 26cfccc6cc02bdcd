"""The models' own tokenizers, for prompts that come as token ids."""

import json
from pathlib import Path

import pytest

from guard.gateway.models.model_tokenizers import open_tokenizers
from guard.settings import Model
from guard.terms.errors import ArtifactError, RequestError
from tests.guard.corruption.checkpoints import make_tokenizer


def test_ids_become_the_text_the_model_reads_specials_included(tmp_path: Path) -> None:
    tokenizer = make_tokenizer()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    spell = open_tokenizers({"demo": Model(path=tmp_path)})["demo"]

    assert spell(tokenizer.encode("grüße 世界").ids) == "<s>grüße 世界"


@pytest.mark.parametrize("ids", [[-1], [10_000_000]])
def test_ids_beyond_the_vocabulary_are_refused(tmp_path: Path, ids: list[int]) -> None:
    make_tokenizer().save(str(tmp_path / "tokenizer.json"))
    spell = open_tokenizers({"demo": Model(path=tmp_path)})["demo"]

    with pytest.raises(RequestError, match="between 0 and"):
        spell(ids)


def test_ids_that_only_the_padded_model_has_spell_nothing(tmp_path: Path) -> None:
    tokenizer = make_tokenizer()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    size = tokenizer.get_vocab_size()
    (tmp_path / "config.json").write_text(json.dumps({"vocab_size": size + 8}))
    spell = open_tokenizers({"demo": Model(path=tmp_path)})["demo"]

    assert spell([size, size + 7]) == ""
    with pytest.raises(RequestError, match=f"Token id {size + 8} "):
        spell([size + 8])


def test_a_broken_configuration_is_named(tmp_path: Path) -> None:
    make_tokenizer().save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(ArtifactError, match=r"config\.json"):
        open_tokenizers({"demo": Model(path=tmp_path)})


def test_missing_tokenizer_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"tokenizer\.json"):
        open_tokenizers({"demo": Model(path=tmp_path)})
