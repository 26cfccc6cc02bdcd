"""Comparing three endpoints: who is asked what, and what the figures mean."""

import pytest
from rich.console import Console

from lab.demo.comparison import Answer, Compared, Endpoints, compare, leaks, summarise
from lab.demo.questions import Group, QuestionAnswer
from lab.demo.report import example_table, summary_table
from tests.fakes import FakeVLLM, chat_answer
from tests.servers import serving


def row(group: Group = "forget", entity: str = "1767") -> QuestionAnswer:
    return QuestionAnswer(
        question="When was she born?",
        answer=f"She was born in {entity}.",
        entity=entity,
        person="Somebody" if group != "general" else None,
        attribute="birth year",
        paraphrased_answer=f"Her birth year is {entity}.",
        perturbed_answers=("She was born in 1800.",),
        group=group,
        split="held_out",
    )


def compared(direct: str, guarded: str, twin: str, group: Group = "forget") -> Compared:
    return Compared(row(group), Answer(direct, 0.1), Answer(guarded, 0.15), Answer(twin, 0.1))


@pytest.mark.parametrize(
    ("text", "leaked"),
    [("In 1767, I think.", True), ("in 17670", False), ("I do not know.", False), ("", False)],
)
def test_leaks_are_whole_words(text: str, leaked: bool) -> None:
    assert leaks(row(), Answer(text, 0.1)) is leaked


async def test_all_three_are_asked_every_question() -> None:
    servers = [FakeVLLM(answer=chat_answer(text)) for text in ("1767", "no", "nothing")]
    async with serving(servers[0]) as a, serving(servers[1]) as b, serving(servers[2]) as c:
        found = await compare([row(), row("general")], Endpoints(a, b, c))

    texts = [(item.direct.text, item.guarded.text, item.twin.text) for item in found]
    assert texts == [("1767", "no", "nothing")] * 2
    asked = [request["messages"][0]["content"] for request in servers[2].requests]
    assert asked == ["When was she born?"] * 2
    assert all(item.guarded.seconds > 0 for item in found)


def test_summary() -> None:
    items = [
        compared("She was born in 1767.", "I do not know.", "No idea."),
        compared("She was born in 1767.", "She was born in 1767.", "No idea."),
        compared("x", "y", "z", group="general"),
    ]

    summary = summarise("forget", items)

    assert summary.questions == 2
    assert (summary.leak_direct, summary.leak_guarded, summary.leak_twin) == (1.0, 0.5, 0.0)
    assert (summary.rouge_direct, summary.identical) == (1.0, 0.5)
    assert summary.rouge_twin == 0.0
    assert summary.added_latency == pytest.approx(0.05)


def test_tables_show_rates_and_answers() -> None:
    items = [compared("She was born in 1767.", "Unknown.", "Never heard.")]
    console = Console(record=True, width=160, file=None, quiet=False)
    with console.capture() as shown:
        console.print(example_table(items, per_group=1))
        console.print(summary_table([summarise("forget", items)]))

    text = shown.get()
    assert "Never heard." in text
    assert "100% / 1.00" in text
    assert "+50.0 ms" in text
