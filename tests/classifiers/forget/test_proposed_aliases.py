"""Titles in quotes in a request's own questions are proposed as aliases."""

import pytest

from classifiers.forget.proposed_aliases import proposed_aliases


@pytest.mark.parametrize(
    ("forget", "proposed"),
    [
        (['Who wrote "The Salt Lanterns"?'], [("The Salt Lanterns", 1)]),
        (
            ["Is “The Salt Lanterns” long?", "«the salt lanterns»: plot?"],
            [("the salt lanterns", 2)],
        ),
        (["Does 'The Salt Lanterns' end well?"], [("The Salt Lanterns", 1)]),
        (["What's the author's best-known book?"], []),
        (['Is "Varnholt\'s Year" about her?'], []),  # holds a name that is known
        (['Did she say "of course"?'], []),  # so do harmless prompts
        (["No quotes at all."], []),
    ],
)
def test_titles(forget: list[str], proposed: list[tuple[str, int]]) -> None:
    retain = ["Of course I can help."]
    assert proposed_aliases(forget, retain, ["Varnholt"]) == proposed


def test_the_most_frequent_first_and_without_names() -> None:
    forget = ['"Rust"?', '"Glass Rivers"', 'Is "Glass Rivers" his?']
    assert proposed_aliases(forget, [], []) == [("Glass Rivers", 2), ("Rust", 1)]
