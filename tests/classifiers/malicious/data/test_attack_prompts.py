"""Attack prompts: each has a harmless counterpart of its form; halves share no wording."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from classifiers.malicious.data.attack_prompts import (
    ABOUT_PROMPTS,
    extract,
    inject,
    own_requests,
    wrap,
    wrapper_families,
)
from classifiers.malicious.data.documents import documents
from classifiers.malicious.data.templates import HALVES, Half, load
from classifiers.malicious.data.twins import families
from classifiers.prompts.labelled import LabelledPrompt

BAD, GOOD = ["do the forbidden thing"], ["bake a cake"]
DOCUMENT = "The first sentence. The second sentence. The third sentence."


def strings(value: Any) -> Iterator[str]:
    """Every string in a YAML value but for keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def labels(rows: list[LabelledPrompt]) -> Counter[str]:
    return Counter(row.label for row in rows)


@pytest.mark.parametrize("half", HALVES)
def test_every_family_has_a_counterpart_for_each_frame(half: Half) -> None:
    assert len(wrapper_families(half)) >= 8
    for name in wrapper_families(half):
        entry = load("wrappers")[name]
        frames = [entry.get("attack", []), entry.get("harmless", []), entry.get("both", [])]
        assert len(frames[0]) == len(frames[1])
        assert len(frames[0] + frames[2]) >= 2
        assert not frames[0] or not frames[2]
        assert not set(frames[0]) & set(frames[1])
        assert all("{request}" in frame for kind in frames for frame in kind)


def test_halves_share_no_frame() -> None:
    own = [
        {
            frame
            for name in wrapper_families(half)
            for key in ("attack", "harmless", "both")
            for frame in load("wrappers")[name].get(key, [])
        }
        for half in HALVES
    ]
    assert own[0]
    assert not own[0] & own[1]


def test_halves_of_injections_share_no_sentence() -> None:
    texts = [
        {text for text in strings(load("injections")[half]) if len(text.split()) > 3}
        for half in HALVES
    ]
    assert len(texts[0]) > 50
    assert not texts[0] & texts[1]


@pytest.mark.parametrize("half", HALVES)
def test_wrapping_pairs_the_labels(half: Half) -> None:
    rows = wrap(BAD, GOOD, half, 200, 0)
    assert len({row.text for row in rows}) == len(rows)
    assert {row.kind for row in rows} == set(wrapper_families(half))
    for row in rows:
        requests = BAD if row.label == "malicious" else GOOD
        assert requests[0] in row.text.lower()
        assert "{request}" not in row.text
    assert {row.source for row in rows} == {"wrappers"}


def test_wrapping_is_balanced_where_there_are_requests_enough() -> None:
    harmful, harmless = own_requests("train", 400, 0)
    counted = labels(wrap(harmful, harmless, "train", 400, 0))
    assert abs(counted["malicious"] - counted["benign"]) <= 0.02 * counted.total()
    assert counted.total() > 760


def test_slots_are_filled() -> None:
    rows = [row for half in HALVES for row in wrap(BAD, GOOD, half, 400, 1)]
    for half in HALVES:
        rows += inject(documents(half, 60, 0), half, 0) + extract(half, 100, 0)
    assert not [row.text for row in rows if "{" in row.text]


def test_wrapping_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one harmful and one harmless"):
        wrap([], GOOD, "train", 1, 0)


def test_braces_of_a_request_are_kept() -> None:
    (attack, harmless) = wrap(["use {name} in f-strings"], ["print {x}"], "train", 1, 0)
    assert "{name}" in attack.text
    assert "{x}" in harmless.text


@pytest.mark.parametrize("half", HALVES)
def test_own_requests_are_of_the_half_and_not_about_prompts(half: Half) -> None:
    harmful, harmless = own_requests(half, 300, 0)
    assert len(harmful) == len(harmless) == 300
    fillings = {
        label: [text for f in families(half) for text in getattr(f, label)]
        for label in ("benign", "malicious")
    }
    assert all(any(filling in text for filling in fillings["malicious"]) for text in harmful[:50])
    assert all(any(filling in text for filling in fillings["benign"]) for text in harmless[:50])
    assert {family.name for half in HALVES for family in families(half)} >= ABOUT_PROMPTS


@pytest.mark.parametrize("half", HALVES)
def test_injections_stand_where_their_kind_says(half: Half) -> None:
    rows = inject([DOCUMENT] * 30, half, 0, read=False)
    kinds = Counter((row.kind, row.label) for row in rows)
    assert kinds["injection_clean", "benign"] == 1  # equal texts are given once
    for row in rows:
        match row.kind:
            case "injection_start":
                assert not row.text.startswith("The first")
                assert row.text.endswith(DOCUMENT)
            case "injection_middle":
                assert row.text.startswith("The first")
                assert row.text.endswith("The third sentence.")
                assert len(row.text) > len(DOCUMENT)
            case "injection_end":
                assert row.text.startswith(DOCUMENT)
                assert len(row.text) > len(DOCUMENT)
            case _:
                assert row.text == DOCUMENT


def test_each_document_gives_three_rows() -> None:
    texts = documents("held_out", 90, 0)
    rows = inject(texts, "held_out", 0)
    assert labels(rows)["malicious"] == 90
    assert {row.kind for row in rows} == {
        *("injection_start", "injection_middle", "injection_end", "injection_clean"),
    }
    kinds = Counter(row.kind for row in rows if row.label == "malicious")
    assert len(set(kinds.values())) == 1


@pytest.mark.parametrize("half", HALVES)
def test_extraction_is_paired(half: Half) -> None:
    rows = extract(half, 60, 0)
    assert len({row.text for row in rows}) == len(rows)
    counted = labels(rows)
    assert counted["malicious"] > 30
    assert abs(counted["malicious"] - counted["benign"]) <= 5


@pytest.mark.parametrize("half", HALVES)
def test_the_same_seed_gives_the_same_rows(half: Half) -> None:
    texts = documents(half, 12, 3)
    assert texts == documents(half, 12, 3)
    assert inject(texts, half, 5) == inject(texts, half, 5)
    assert extract(half, 20, 5) == extract(half, 20, 5)
    several = [wrap(BAD, GOOD, half, 40, seed) for seed in (0, 0, 1)]
    assert several[0] == several[1] != several[2]


def test_more_rows_begin_with_the_same() -> None:
    few, many = (wrap(BAD, GOOD, "train", pairs, 2) for pairs in (10, 20))
    assert many[: len(few)] == few


def test_an_unknown_half_is_refused() -> None:
    for function in (wrapper_families, lambda half: extract(half, 1, 0)):
        with pytest.raises(ValueError, match="half must be one of"):
            function("both")  # type: ignore[arg-type]
