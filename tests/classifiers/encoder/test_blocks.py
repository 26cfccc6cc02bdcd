"""Blocks of features by name: any valid list is read back, all others are refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.encoder.blocks import EncoderBlock, block_columns, parse_blocks
from guard.terms.errors import ConfigError

blocks = st.lists(
    st.builds(EncoderBlock, st.integers(0, 9999), st.sampled_from(["mean", "first", "max"])),
    min_size=1,
    max_size=6,
    unique=True,
)


@given(blocks)
def test_blocks_are_read_back(chosen: list[EncoderBlock]) -> None:
    assert parse_blocks(", ".join(map(str, chosen))) == tuple(chosen)


@pytest.mark.parametrize(
    "text", ["", "6", "6:", "6:sum", "06:mean", "-1:mean", "6:mean,", "6:mean;3:max", "x:max"]
)
def test_what_is_no_block_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^blocks: expected LAYER:POOLING with one of mean, fir"):
        parse_blocks(text)


def test_no_block_twice() -> None:
    with pytest.raises(ConfigError, match="same block twice"):
        parse_blocks("6:mean,3:max,6:mean")


def test_columns_follow_each_other() -> None:
    assert block_columns(["6:mean", "3:max"], 8) == {
        "6:mean": slice(0, 4),
        "3:max": slice(4, 8),
    }
    for names, width in ((["6:mean", "3:max"], 7), ([], 8)):
        with pytest.raises(ConfigError, match="cannot fill"):
            block_columns(names, width)
