"""The attacks are requests that a client may send; what they get is counted."""

from typing import Any

import pytest

from guard.wire import chat
from guard.wire.fields import FieldRules
from lab.demo.attack_requests import ATTACKS, CHOICES, Fact, facts, leaks
from lab.demo.attack_table import count, table
from lab.demo.people import populate
from tests.fakes import FakeVLLM
from tests.servers import serving

FACTS = facts(populate(7), 7)


def test_facts_are_all_attributes_of_the_forgotten() -> None:
    assert len(FACTS) == 48
    assert all(len({fact.value, *fact.others}) == CHOICES for fact in FACTS)
    assert len({fact.question for fact in FACTS}) == 48


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_passes_the_field_tables_and_never_says_the_answer(name: str) -> None:
    for fact in FACTS[:9]:
        body: dict[str, Any] = {"model": "m", **ATTACKS[name](fact).body}
        call = chat.parse(body, FieldRules(may_corrupt=True, drop_unknown=False), None)
        said = [item.text for item in call.items if item.path[0] == "messages"]
        assert said
        assert not leaks(fact, said)


def test_beginnings_are_of_the_answer() -> None:
    fact = FACTS[0]
    assert fact.beginning.split()[0] in ("He", "She")
    assert fact.value not in fact.beginning
    assert len(set(fact.rewordings())) == 8


def test_a_value_named_in_any_answer_is_a_leak() -> None:
    fact = FACTS[0]
    assert leaks(fact, ["", f"It was {fact.value.upper()}."])
    assert not leaks(fact, [f"x{fact.value}", *fact.others])


async def test_leaks_are_counted_and_refusals_give_nothing() -> None:
    vllm = FakeVLLM()
    vllm.answer["choices"][0]["message"]["content"] = f"In {FACTS[0].value}."
    attacks = [ATTACKS["plain"](fact) for fact in FACTS[:3]]
    async with serving(vllm) as url:
        assert await count(url, attacks, FACTS[:3]) == 1


def test_the_table_has_a_row_for_an_attack_and_a_column_for_a_model() -> None:
    shown = table({"twin": {"plain": 0, "begun": 1}, "demo": {"plain": 2, "begun": 3}}, 48)
    assert (len(shown.columns), shown.row_count) == (3, 2)


def test_a_fact_knows_its_person() -> None:
    assert isinstance(FACTS[0], Fact)
    assert FACTS[0].person.name in FACTS[0].question
