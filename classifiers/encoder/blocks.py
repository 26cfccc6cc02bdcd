"""Which hidden states an encoder's features are made of: blocks, each one layer and one pooling."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self, get_args

from guard.terms.errors import ConfigError

BlockPooling = Literal["mean", "first", "max"]
_BLOCK = re.compile(r"(0|[1-9][0-9]{0,3}):(mean|first|max)")


@dataclass(frozen=True, slots=True)
class EncoderBlock:
    """One layer's states, pooled over the tokens; layer 0 is the embeddings, the last the output.

    `mean` and `max` run over all tokens, special ones included; `first` is the first token's state.
    """

    layer: int
    pooling: BlockPooling

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `LAYER:POOLING`, such as `6:mean`; ConfigError otherwise."""
        found = _BLOCK.fullmatch(text)
        if found is None:
            known = ", ".join(get_args(BlockPooling))
            raise ConfigError(f"blocks: expected LAYER:POOLING with one of {known}, not '{text}'")
        pooling: BlockPooling = found[2]  # type: ignore[assignment]  # the pattern's own words
        return cls(int(found[1]), pooling)

    def __str__(self) -> str:
        return f"{self.layer}:{self.pooling}"


def parse_blocks(text: str) -> tuple[EncoderBlock, ...]:
    """The blocks in `6:mean,3:max`, in that order; ConfigError names the one that is wrong."""
    blocks = tuple(EncoderBlock.parse(part.strip()) for part in text.split(","))
    if len(set(blocks)) < len(blocks):
        raise ConfigError(f"blocks: the same block twice in '{text}'")
    return blocks


def block_columns(blocks: Sequence[str], width: int) -> dict[str, slice]:
    """Each block's columns in features of `width`, from the recipe of an encoder's manifest."""
    each, rest = divmod(width, max(len(blocks), 1))
    if rest or not blocks:
        raise ConfigError(f"blocks: {len(blocks)} of equal width cannot fill {width} columns")
    return {name: slice(at * each, (at + 1) * each) for at, name in enumerate(blocks)}
