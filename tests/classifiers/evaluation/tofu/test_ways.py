"""Ways of asking: corruptions by name, the paper's grid, the refusal prompt."""

import pytest

from classifiers.evaluation.tofu import ways
from guard.corruption.functions import Corruption
from guard.terms.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rand_noise_first_n:1:50", Corruption("rand_noise_first_n", 1, 50.0)),
        ("zero_out_top_k:507", Corruption("zero_out_top_k", 507)),
    ],
)
def test_a_corruption_is_read(text: str, expected: Corruption) -> None:
    assert ways.parse_corruption(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "zero_out_top_k", "zero:1", "zero_out_top_k:a", "rand_noise_first_n:1:x", "a:1:2:3"],
)
def test_what_is_none_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match=f"--corruption {text}"):
        ways.parse_corruption(text)
    with pytest.raises(ConfigError, match="strength"):
        ways.parse_corruption("zero_out_top_k:1:5")


def test_the_refusal_prompt_lists_the_names() -> None:
    assert "\n- Ada Moor\n- Bram Ostler\n" in ways.instruction(["Ada Moor", "Bram Ostler"])
    assert "what is asked below" in ways.instruction([])
