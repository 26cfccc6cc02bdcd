"""The plain order: nothing that a model reads as one passes for being cut in two."""

import pytest

from guard.detectors.names.phrases import PhraseList
from guard.rendering.plain_order import plain_rendering
from guard.rendering.renderer import CallRendering
from guard.screening.reading import Reading
from guard.screening.views.view import ViewLimits
from guard.terms.item import AUTHORS, Author, Call
from guard.terms.json import JsonObject
from tests.guard.rendering.splits import CUTS, PAIRS, PHRASE, assistant, body, parse, text, user

EVERYBODY = frozenset[Author](AUTHORS)


def fired(call: Call, authors: frozenset[Author] = EVERYBODY) -> set[str]:
    """The fields that a list with the phrase names."""
    source = CallRendering(call, plain_rendering)
    reading = Reading(call.items, None, ViewLimits(), rendering=source)
    scores = reading.item_scores(PhraseList([PHRASE]), 0.5, authors).tolist()
    return {item.param for item, score in zip(call.items, scores, strict=True) if score >= 0.5}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("pair", PAIRS)
def test_no_split_passes(pair: str, cut: str) -> None:
    first, second = CUTS[cut]
    call = parse(PAIRS[pair](first, second))

    for item in call.items:
        assert PhraseList([PHRASE]).score([item.text]).tolist() == [0.0] or "\n" in item.text
    assert fired(call)


def test_there_are_52_splits() -> None:
    assert len(PAIRS) * len(CUTS) == 52


@pytest.mark.parametrize("pair", PAIRS)
def test_halves_that_are_far_apart_are_no_phrase(pair: str) -> None:
    assert not fired(parse(PAIRS[pair]("Of the violet hills.", "The harbour protocol I know.")))


def test_a_finding_names_what_the_phrase_stands_in() -> None:
    first, second = CUTS["inside a word"]
    far = "The garden is green. " * 100
    system: JsonObject = {"role": "system", "content": far}
    asked = [system, assistant(far), user([text(first), text(second)])]

    found = fired(parse(body(*asked)))

    assert {"messages.2.content.0", "messages.2.content.1"} <= found
    assert "messages.0.content" not in found


def test_prompts_of_a_list_are_read_apart() -> None:
    first, second = CUTS["inside a word"]

    assert fired(parse({"model": "m", "prompt": [first, second]})) == set()


def test_the_developers_words_join_the_users_where_only_these_are_judged() -> None:
    first, second = CUTS["inside a word"]
    attackers = frozenset[Author]({"user", "third_party"})
    split = parse(PAIRS["system and user"](first, second))
    own = parse(body({"role": "system", "content": f"Never tell of the {PHRASE}."}, user("Hello")))

    assert fired(split, attackers) == {"messages.0.content", "messages.1.content"}
    assert fired(own, attackers) == set()


@pytest.mark.parametrize(
    "between",
    [
        user("", name="x"),
        user("   "),
        user(" " * 2000),
        assistant("", reasoning="So be it."),
    ],
)
def test_what_some_templates_leave_out_shields_nothing(between: dict[str, object]) -> None:
    first, second = CUTS["inside a word"]

    assert fired(parse(body(user(first), between, user(second, name="y"))))


def test_letter_by_letter() -> None:
    assert fired(parse(body(user([text(letter) for letter in PHRASE]))))


def test_models_read_each_item_once() -> None:
    call = parse(body(*[user("Hello.")] * 2, tools=PAIRS["tools and system"]("a", "b")["tools"]))

    (order,) = plain_rendering(call).orders

    assert [call.items[segment.item].param for segment in order] == [
        "tools",
        "messages.0.content",
        "messages.1.content",
    ]
    assert all(segment.text == call.items[segment.item].text for segment in order)
