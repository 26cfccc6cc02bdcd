"""What is held out: clients and sources whole, shares about right, choices that stay."""

from classifiers.malicious.data.held_out import Prompts, split_by_client, split_by_source
from classifiers.prompts.labelled import Label, LabelledPrompt


def rows(count: int, source: str, label: Label = "benign", client: str = "") -> Prompts:
    return tuple(
        LabelledPrompt(f"{label} {number} of {source}", source, label, client=client)
        for number in range(count)
    )


def test_a_client_is_wholly_on_one_side() -> None:
    prompts = tuple(p for n in range(60) for p in rows(3, f"s{n}", client=f"client-{n}"))
    first, second = split_by_client(prompts, 0.5, "0")
    assert len(first) + len(second) == len(prompts)
    assert not {p.client for p in first} & {p.client for p in second}
    assert 60 < len(first) < 120


def test_a_prompt_keeps_its_side_when_others_join() -> None:
    few, many = rows(50, "a"), rows(200, "a")
    assert set(split_by_client(few, 0.5, "0")[0]) <= set(split_by_client(many, 0.5, "0")[0])


def test_no_source_both_chooses_and_measures() -> None:
    attacks = [p for n in range(6) for p in rows(20, f"attack-{n}", "malicious")]
    ordinary = [p for n in range(5) for p in rows(30, f"ordinary-{n}")]
    chooses, measures = split_by_source([*attacks, *ordinary], 0.5, "0")
    assert not {p.source for p in chooses} & {p.source for p in measures}
    for label, total in (("malicious", 120), ("benign", 150)):
        assert 0.3 * total < sum(p.label == label for p in measures) < 0.7 * total


def test_a_label_of_one_source_is_split_by_row() -> None:
    chooses, measures = split_by_source([*rows(10, "a", "malicious"), *rows(8, "b")], 0.5, "0")
    for side in (chooses, measures):
        assert {p.label for p in side} == {"malicious", "benign"}
    assert not set(chooses) & set(measures)


def test_nothing_gives_nothing() -> None:
    assert split_by_source((), 0.5, "0") == ((), ())
