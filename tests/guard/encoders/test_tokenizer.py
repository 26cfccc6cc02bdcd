"""An artifact's tokenizer reads texts whole, whatever it was saved with."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard.artifacts.folder import write
from guard.artifacts.manifest import draft
from guard.encoders.tokenizer import open_tokenizer, token_windows
from guard.terms.errors import ArtifactError
from tests.pooling import byte_tokenizer


def test_truncation_and_padding_are_off(tmp_path: Path) -> None:
    saved = byte_tokenizer()
    saved.enable_truncation(3)
    saved.enable_padding(length=9)
    files = {"tokenizer.json": saved.to_str().encode()}
    tokenizer = open_tokenizer(write(tmp_path / "a", draft("encoder", "x"), files=files))
    assert len(tokenizer.encode("a").ids) == 1
    assert len(tokenizer.encode("abcdef" * 9).ids) == 54


@pytest.mark.parametrize("files", [{}, {"tokenizer.json": b"{"}, {"tokenizer.json": b"\xff"}])
def test_unreadable_ones_are_named(tmp_path: Path, files: dict[str, bytes]) -> None:
    artifact = write(tmp_path / "a", draft("encoder", "x"), files=files)
    with pytest.raises(ArtifactError, match=r"tokenizer.json: not a readable tokenizer"):
        open_tokenizer(artifact)


@settings(deadline=None, max_examples=60)
@given(text=st.text("ab é😀漢.\n", max_size=120), stride=st.integers(1, 12))
def test_windows_cover_text_of_several_tokens_a_character(text: str, stride: int) -> None:
    tokenizer = byte_tokenizer()
    windows = token_windows(tokenizer, text, 12, stride)
    assert windows[0][0] == 0
    assert windows[-1][1] == len(text)
    assert all(later[0] <= earlier[1] for earlier, later in pairwise(windows))
