"""Tokens are estimated without a tokenizer."""

import pytest

from guard.screening.prices.token_estimate import tokens_in


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("word", 1),
        ("Hello, world!", 4),
        ("internationalisation", 4),
        ("2026", 2),
        ("世界", 2),
        ("IGNORE", 3),
    ],
)
def test_tokens_are_estimated(text: str, tokens: int) -> None:
    assert tokens_in(text) == tokens
