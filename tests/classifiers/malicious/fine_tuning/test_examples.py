"""Examples: capped, weighed by source, without what is held out."""

from dataclasses import replace

import numpy as np

from classifiers.malicious.fine_tuning.examples import (
    Mixture,
    build_examples,
    cap_sources,
    labels_of,
    weights_of,
    without,
)
from classifiers.prompts.labelled import LabelledPrompt
from tests.classifiers.malicious.fine_tuning.prompts import prompts

SMALL = Mixture(per_source=4, composed=70, twins=20, wrapped=24, documents=12, extractions=4)


def test_sources_are_capped_and_unlabelled_rows_left_out() -> None:
    rows = [*prompts(), LabelledPrompt("what is this", "wild", "unknown")]
    capped = cap_sources(rows, 2, np.random.default_rng(0))
    assert len(capped) == 24
    assert all(row.label != "unknown" for row in capped)


def test_holding_a_source_out_takes_its_compositions_along() -> None:
    examples = build_examples(prompts(), SMALL)
    kept = without(examples, frozenset({"benign-0", "malicious-0"}))
    assert 0 < len(kept) < len(examples)
    assert not [e for e in kept if {"benign-0", "malicious-0"} & e.sources]
    assert not [e for e in kept if "write the river 0" in e.text.lower()]


def test_examples_are_seeded_and_distinct() -> None:
    examples = build_examples(prompts(), SMALL)
    assert examples == build_examples(prompts(), SMALL)
    assert len({e.text for e in examples}) == len(examples)


def test_classes_weigh_alike_and_large_groups_less_per_row() -> None:
    examples = build_examples(prompts(), SMALL)
    labels, weights = labels_of(examples), weights_of(examples)
    assert np.isclose(weights[labels == 1].sum(), weights[labels == 0].sum(), rtol=1e-4)
    assert np.isclose(weights.sum(), len(examples), rtol=1e-4)
    few = [w for e, w in zip(examples, weights, strict=True) if e.group.startswith("malicious-0")]
    many = [w for e, w in zip(examples, weights, strict=True) if e.group == "own/twins"]
    assert min(few) > max(many)


def test_long_prompts_give_several_windows_but_not_where_one_holds_the_order() -> None:
    text = "a river and a bridge. " * 100
    jailbreak = LabelledPrompt(text, "wild", "malicious", "jailbreak_template")
    indirect = LabelledPrompt(text, "papers", "malicious", "prompt_injection_indirect")
    found = build_examples([jailbreak, indirect], SMALL)
    groups = [e.group for e in found]
    assert groups.count("wild/jailbreak_template") == 2
    assert "papers/prompt_injection_indirect" not in groups


def test_sentences_are_of_benign_windows_and_change_no_other_example() -> None:
    text = "A river runs under the bridge. A poem hangs on the wall. The harbour is closed today."
    rows = [LabelledPrompt(text, "papers", "benign", "document_clean")]
    rows += [LabelledPrompt(text.upper(), "wild", "malicious", "jailbreak_template"), *prompts()]
    plain, found = (build_examples(rows, replace(SMALL, sentences=n)) for n in (0, 2))
    added = [e for e in found if e not in plain]
    assert [e for e in found if e not in added] == plain
    assert {e.group for e in added} == {"papers/document_clean/sentences"}
    assert len(added) == 2
    assert all(e.text in text and not e.malicious for e in added)
    assert all(e.sources == {"papers"} for e in added)
