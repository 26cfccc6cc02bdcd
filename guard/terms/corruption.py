"""The names of the corruption functions (`guard.corruption.functions` has what they do)."""

from typing import Literal, get_args

CorruptionKind = Literal[
    "rand_noise_first_n",
    "rand_noise_rand_n",
    "rand_noise_top_k",
    "zero_out_first_n",
    "zero_out_top_k",
    "flip_sign_first_n",
    "flip_sign_top_k",
    "stranger_first_n",
]
DEFAULT_KIND: CorruptionKind = "stranger_first_n"
"""On all dimensions: of those that were attacked the one whose worst attack got least."""

CorruptedTokens = Literal["all", "names"]
"""All tokens of a flagged text, or those of words that could be names."""

CORRUPTION_KINDS: tuple[CorruptionKind, ...] = get_args(CorruptionKind)
