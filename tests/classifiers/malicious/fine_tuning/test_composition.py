"""Compositions: balanced, seeded, named by the sources of their parts."""

import numpy as np

from classifiers.malicious.fine_tuning.composition import OWN, SHARES, PromptPools, compose
from classifiers.malicious.fine_tuning.phrases_en import HARMFUL_ACTS, HARMLESS_ACTS
from classifiers.malicious.fine_tuning.phrases_world import LANGUAGES

POOLS = PromptPools(
    harmful=[("how to do harm", "bad")],
    harmless=[("how to do good", "good")],
    documents=[("A report. It has sentences. " * 10, "papers")],
)


def test_half_of_the_compositions_are_malicious() -> None:
    rows = compose(POOLS, 700, np.random.default_rng(0))
    assert len(rows) > 500
    assert 0.45 < np.mean([row.malicious for row in rows]) < 0.55
    kinds = {"harmful", "jailbreak", "injection", "language", "padded"}
    assert {row.kind for row in rows} == kinds


def test_a_part_names_its_source() -> None:
    rows = compose(POOLS, 400, np.random.default_rng(1))
    for text, source in (("how to do harm", "bad"), ("how to do good", "good")):
        found = [row for row in rows if text in row.text.lower()]
        assert found
        assert all(source in row.sources for row in found)
    assert all(OWN in row.sources for row in rows)


def test_harmful_parts_never_stand_in_a_harmless_composition() -> None:
    rows = compose(POOLS, 700, np.random.default_rng(2))
    assert not [row for row in rows if "bad" in row.sources and not row.malicious]


def test_the_same_seed_gives_the_same_rows() -> None:
    first, again = (compose(POOLS, 200, np.random.default_rng(3)) for _ in range(2))
    assert first == again
    assert first != compose(POOLS, 200, np.random.default_rng(4))


def test_compositions_need_no_parts() -> None:
    rows = compose(PromptPools([], [], []), 100, np.random.default_rng(0))
    assert {source for row in rows for source in row.sources} == {OWN}
    assert len(SHARES) == 8


def test_languages_and_acts_are_of_equal_number_and_disjoint() -> None:
    assert not set(HARMFUL_ACTS) & set(HARMLESS_ACTS)
    for name, language in LANGUAGES.items():
        assert len(language.harmful) == len(language.harmless), name
        assert all("{}" in form for form in language.requests), name


def test_padding_stands_around_either_kind_of_question_and_names_its_source() -> None:
    rows = [r for r in compose(POOLS, 1500, np.random.default_rng(5)) if r.kind == "padded"]
    assert 0.4 < np.mean([row.malicious for row in rows]) < 0.6
    fillers = {source for row in rows for source in row.sources}
    assert fillers == {OWN, "bad", "good", "papers"}
    within = [row for row in rows if "A report." in row.text]
    assert within
    assert all("papers" in row.sources for row in within)
    assert max(len(row.text.encode()) for row in rows) < 1100


def test_what_is_learned_from_is_not_what_padding_is_measured_with() -> None:
    from classifiers.evaluation.drills import PADDING
    from classifiers.malicious.fine_tuning.phrases_roles import FILLERS

    assert not [sentence for sentence in FILLERS if sentence.rstrip(".") in PADDING]
