"""Reading a rendered request costs no more than three times its plain length."""

import json
from collections.abc import Callable

import pytest

from guard.rendering.renderer import Renderer
from guard.screening.budget.spending import Spending
from guard.screening.prices.token_estimate import tokens_in
from guard.screening.reading import Reading
from guard.screening.views.view import ViewLimits
from guard.terms.json import JsonObject
from guard.wire.call import strings
from tests.fakes import WordDetector
from tests.guard.rendering.splits import assistant, body, parse, tool, user

SENTENCE = "The gardener waters the roses in row {} before the sun is over the wall. "


def said(size: int, number: int) -> str:
    return "".join(SENTENCE.format(number * 100 + n) for n in range(size))


def chat(size: int) -> JsonObject:
    roles = (user, assistant)
    return body(*(roles[n % 2](said(size, n)) for n in range(41)))


def agent(size: int) -> JsonObject:
    """Calls and results one after the other, behind many tools."""
    turns: list[JsonObject] = [{"role": "system", "content": said(100, 999)}, user("Go.")]
    for n in range(30):
        function = {"name": f"read_{n}", "arguments": json.dumps({"path": f"/src/{n}.py"})}
        call = {"id": f"c{n}", "type": "function", "function": function}
        turns.append(assistant(None, tool_calls=[call]))
        turns.append({"role": "tool", "tool_call_id": f"c{n}", "content": said(size, n)})
    return body(*turns, tools=[tool(said(2, 500 + n)) for n in range(20)])


@pytest.mark.parametrize("size", [1, 5, 40])
@pytest.mark.parametrize("make", [chat, agent])
def test_at_most_three_times_its_plain_length(make: Callable[[int], JsonObject], size: int) -> None:
    request = make(size)
    call = parse(request)
    spending = Spending()
    reading = Reading(
        call.items, None, ViewLimits(), rendering=Renderer().source(call), spending=spending
    )

    reading.item_scores(WordDetector("attack"), 0.5)

    plain = sum(tokens_in(text) for text in strings(request))
    assert plain / 2 < spending.read <= 3 * plain
