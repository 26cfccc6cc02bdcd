"""The guess at a language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.prompts.languages import UNSURE, guess_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How do I bake the bread that you like?", "en"),
        ("Wie backe ich das Brot, das du magst?", "de"),
        ("¿Cómo hago el pan que te gusta con harina?", "es"),
        ("Comment faire le pain que vous aimez ?", "fr"),
        ("Come si fa il pane che ti piace?", "it"),
        ("Como eu faço um pão que você gosta?", "pt"),
        ("Hoe bak ik het brood dat je lekker vindt?", "nl"),
        ("Làm thế nào để nướng bánh mì cho bạn?", "vi"),
        ("怎么烤面包？", "zh"),
        ("用Python写一个排序函数", "zh"),
        ("パンの焼き方を教えて", "ja"),
        ("빵을 어떻게 굽나요?", "ko"),
        ("Как испечь хлеб?", "ru"),
        ("كيف أخبز الخبز؟", "ar"),
        ("Πώς ψήνω ψωμί;", "el"),
        ("play music", UNSURE),
        ("12 + 30 = ?", UNSURE),
        ("", UNSURE),
    ],
)
def test_guesses(text: str, language: str) -> None:
    assert guess_language(text) == language


@given(st.text())
def test_any_text_has_a_language(text: str) -> None:
    assert guess_language(text).isalpha()
