"""Tools of Responses requests: what the chat call gets, and how their calls come back."""

from typing import Any

import orjson
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from guard.terms.errors import RequestError
from guard.wire.dropped_fields import DroppedFields
from guard.wire.fields import FieldRules
from guard.wire.responses import ResponsesProtocol
from guard.wire.responses.call import ResponsesCall, as_responses_call
from guard.wire.responses.custom_input import PARAMETERS
from tests.guard.wire.transcripts import DONE, answer, chunk, client_events, tool_call, tool_delta

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}}
FUNCTION = {"type": "function", "name": "look", "parameters": SCHEMA, "strict": False}
CUSTOM = {"type": "custom", "name": "patch", "description": "Changes files."}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /CANARY/"}
NAMESPACE = {
    "type": "namespace",
    "name": "crm",
    "description": "Customers.",
    "tools": [{**FUNCTION, "name": "find"}, {**CUSTOM, "name": "note"}],
}
TOOLS = [FUNCTION, CUSTOM, NAMESPACE]


def parsed(tools: list[Any], rules: FieldRules | None = None, **fields: Any) -> ResponsesCall:
    body = {"model": "demo", "input": "hi", "tools": tools, **fields}
    return as_responses_call(ResponsesProtocol().parse(body, rules or FieldRules(), None))


def test_every_kind_of_tool_becomes_a_function() -> None:
    functions = [tool["function"] for tool in parsed(TOOLS).body["tools"]]  # type: ignore[attr-defined]

    shape = {"description": "Changes files.", "parameters": PARAMETERS}
    assert functions == [
        {"name": "look", "parameters": SCHEMA, "strict": False},
        {"name": "patch", **shape},
        {"name": "crm__find", "parameters": SCHEMA, "strict": False},
        {"name": "crm__note", **shape},
    ]


def test_what_a_tool_says_is_screened() -> None:
    texts = "\n".join(item.text for item in parsed(TOOLS).items)

    assert all(said in texts for said in ("look", "Changes files.", "crm__find", "crm__note"))


def test_tools_that_nobody_runs_here_are_dropped_and_named() -> None:
    dropped = DroppedFields()
    hosted = [{"type": "web_search"}, {"type": "local_shell"}, {**CUSTOM, "format": GRAMMAR}]

    call = parsed([FUNCTION, *hosted], FieldRules(dropped=dropped))

    assert dropped.listed == "tools.web_search, tools.local_shell, tools.format"
    assert len(call.echo["tools"]) == len(call.body["tools"]) == 2  # type: ignore[arg-type]
    assert "CANARY" not in str(call.body)


@pytest.mark.parametrize("tool", [{"type": "web_search"}, {**CUSTOM, "format": GRAMMAR}])
def test_they_are_refused_where_unknown_fields_are(tool: dict[str, Any]) -> None:
    with pytest.raises(RequestError) as caught:
        parsed([tool], FieldRules(drop_unknown=False))
    assert str(caught.value.param).startswith("tools.0.")


WRONG: list[tuple[Any, str]] = [
    ({"type": "robot"}, "tools.0.type"),
    ({"type": "custom"}, "tools.0.name"),
    ({**CUSTOM, "format": {"type": "json"}}, "tools.0.format.type"),
    ({**NAMESPACE, "tools": "x"}, "tools.0.tools"),
    ({**NAMESPACE, "tools": [{"type": "web_search"}]}, "tools.0.tools.0.type"),
    ({**NAMESPACE, "tools": [{"type": "function"}]}, "tools.0.tools.0.name"),
]


@pytest.mark.parametrize(("tool", "param"), WRONG)
def test_wrong_tools_are_named(tool: Any, param: str) -> None:
    with pytest.raises(RequestError) as caught:
        parsed([tool])
    assert caught.value.param == param


CHOICES: list[tuple[dict[str, Any], str]] = [
    ({"type": "function", "name": "look"}, "look"),
    ({"type": "custom", "name": "patch"}, "patch"),
    ({"type": "function", "name": "find"}, "crm__find"),
    ({"type": "function", "name": "crm__find"}, "crm__find"),
    ({"type": "function", "name": "find", "namespace": "crm"}, "crm__find"),
]


@pytest.mark.parametrize(("choice", "name"), CHOICES)
def test_a_choice_may_name_any_of_them(choice: dict[str, Any], name: str) -> None:
    chosen = parsed(TOOLS, tool_choice=choice).body["tool_choice"]
    assert chosen == {"type": "function", "function": {"name": name}}


@pytest.mark.parametrize("name", ["other", "crm", "twice"])
def test_a_choice_that_names_none_or_two_is_refused(name: str) -> None:
    twice = [
        {"type": "namespace", "name": space, "tools": [{**FUNCTION, "name": "twice"}]}
        for space in ("a", "b")
    ]
    with pytest.raises(RequestError, match="tool_choice"):
        parsed([*TOOLS, *twice], tool_choice={"type": "function", "name": name})


CALLS = [
    tool_call("patch", '{"input": "+ a\\n"}'),
    tool_call("crm__find", '{"id": "7"}'),
    tool_call("crm__note", '{"input": "hm"}'),
]


def test_calls_come_back_as_the_client_knows_them_and_can_be_continued() -> None:
    protocol = ResponsesProtocol()
    call = protocol.parse({"model": "demo", "input": "hi", "tools": TOOLS}, FieldRules(), None)
    body = answer({"content": None, "tool_calls": CALLS}, "tool_calls")

    response = orjson.loads(protocol.translate(call, body))

    Response.model_validate(response)
    found = [
        (item["type"], item["name"], item.get("namespace"), item.get("input"))
        for item in response["output"]
    ]
    assert found == [
        ("custom_tool_call", "patch", None, "+ a\n"),
        ("function_call", "find", "crm", None),
        ("custom_tool_call", "note", "crm", "hm"),
    ]
    again = {"model": "demo", "input": "more", "previous_response_id": response["id"]}
    messages: Any = protocol.parse(again, FieldRules(), None).body["messages"]
    sent = [call["function"] for call in messages[1]["tool_calls"]]
    assert sent == [call["function"] for call in CALLS]


def test_a_custom_call_is_streamed_as_text() -> None:
    protocol = ResponsesProtocol()
    request = {"model": "demo", "input": "hi", "tools": TOOLS, "stream": True}
    translator = protocol.event_translator(protocol.parse(request, FieldRules(), None))
    assert translator is not None
    pieces = ['{"input": "+ ', "a\\", 'n"}']
    groups = [
        chunk(tool_delta(0, name="patch", call_id="c1")),
        *(chunk(tool_delta(0, arguments=piece)) for piece in pieces),
        chunk({}, "tool_calls"),
        DONE,
    ]

    events = client_events(b"".join(map(translator.feed, groups)) + translator.finish())

    for _, data in events:
        EVENT.validate_python(data)
    names = [name.removeprefix("response.") for name, _ in events]
    assert names[2:-1] == [
        "output_item.added",
        *["custom_tool_call_input.delta"] * 3,
        "custom_tool_call_input.done",
        "output_item.done",
    ]
    deltas = [data["delta"] for name, data in events if name.endswith("input.delta")]
    assert deltas == ["+ ", "a", "\n"]
    assert events[-1][1]["response"]["output"][0]["input"] == "+ a\n"
