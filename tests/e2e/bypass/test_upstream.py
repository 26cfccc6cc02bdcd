"""What goes upstream is ours: headers by allowlist, bodies re-made, unknown fields left out."""

from typing import Any

import orjson
import pytest

from tests.e2e.bypass.answers import assert_filtered
from tests.e2e.bypass.canary import BENIGN, CANARY
from tests.e2e.bypass.rig import ALICE, BOB, Proxy
from tests.e2e.bypass.vectors.controls import HEADERS, SWITCHES
from tests.e2e.bypass.vectors.vector import (
    CHAT,
    CHECK,
    COMPLETIONS,
    MESSAGES,
    RESPONSES,
    Body,
    chat,
    complete,
    message,
    respond,
    text,
    user,
)

pytestmark = pytest.mark.vllm

OWN_HEADERS = frozenset(
    {
        "host",
        "accept",
        "accept-encoding",
        "user-agent",
        "content-type",
        "content-length",
        "x-request-id",
    }
)
BENIGN_BODIES: dict[str, Body] = {
    CHAT: chat(),
    COMPLETIONS: complete(),
    RESPONSES: respond(),
    MESSAGES: message(),
}


@pytest.mark.parametrize("route", BENIGN_BODIES)
def test_no_header_of_the_caller_goes_on(blocking: Proxy, route: str) -> None:
    headers = {name: value for name, value in HEADERS.items() if name not in ("te", "expect")}
    answer = blocking.post(route, BENIGN_BODIES[route], headers)

    assert answer.status_code == 200, answer.text
    (sent,) = blocking.sent_on()
    assert sent.headers.keys() <= OWN_HEADERS
    assert sent.headers["host"] != HEADERS["host"]
    assert sent.headers["x-request-id"] == HEADERS["x-request-id"]
    assert ALICE not in str(sent)


@pytest.mark.parametrize("identity", ["a b", "a\tb", "x" * 129, "", "<script>", "a,b", '"', "{}"])
def test_strange_request_ids_are_replaced(blocking: Proxy, identity: str) -> None:
    answer = blocking.post(CHAT, chat(), {"x-request-id": identity})

    assert answer.headers["x-request-id"] != identity
    assert blocking.sent_on()[0].headers["x-request-id"] == answer.headers["x-request-id"]


def test_bodies_are_serialised_anew(blocking: Proxy) -> None:
    raw = orjson.dumps(chat(), option=orjson.OPT_INDENT_2).replace(b"river", b"r\\u0069ver")
    answer = blocking.post(CHAT, raw)

    assert answer.status_code == 200
    assert blocking.sent_on()[0].body == orjson.dumps(chat())


@pytest.mark.parametrize("name", [name for name in SWITCHES if name])
def test_unknown_fields_are_not_forwarded(blocking: Proxy, name: str) -> None:
    known = {"prompt_embeds", "suffix"}  # of completions; to a chat they are unknown as well
    answer = blocking.post(CHAT, chat(**{name: SWITCHES[name]}))

    assert answer.status_code == 200, answer.text
    sent = orjson.loads(blocking.sent_on()[0].body)
    assert sent.keys() == chat().keys()
    assert name not in sent or name in known
    assert blocking.traces() == []


NESTED: dict[str, tuple[str, Body]] = {
    "of a message": (CHAT, chat(user(prefix=CANARY))),
    "of an item": (RESPONSES, respond([{"role": "user", "content": BENIGN, "note": CANARY}])),
    "of a part": (
        RESPONSES,
        respond([{"role": "user", "content": [{"type": "input_text", "text": "a", "x": CANARY}]}]),
    ),
    "of a tool": (
        RESPONSES,
        respond(tools=[{"type": "function", "name": "f", "x": CANARY}], tool_choice="none"),
    ),
    "of Anthropic's message": (MESSAGES, message({**user(), "note": CANARY})),
    "of a block": (MESSAGES, message(user([{**text(BENIGN), "note": CANARY}]))),
    "of a Messages request": (MESSAGES, message(prompt=CANARY, input=CANARY)),
    "of a Responses request": (RESPONSES, respond(prompt_cache=CANARY, messages=[user(CANARY)])),
    "of a completion": (COMPLETIONS, complete(messages=[user(CANARY)], input=CANARY)),
}


@pytest.mark.parametrize(("route", "body"), NESTED.values(), ids=NESTED)
def test_unknown_fields_inside_are_not_forwarded(blocking: Proxy, route: str, body: Body) -> None:
    answer = blocking.post(route, body)

    assert answer.status_code == 200, answer.text
    assert len(blocking.sent_on()) == 1
    assert blocking.traces() == []


REFUSED_EVEN_SO: dict[str, Any] = {
    "chat_template": CANARY,
    "chat_template_kwargs": {"x": CANARY},
    "kv_transfer_params": {"x": 1},
    "truncate_prompt_tokens": 5,
    "functions": [{"name": CANARY}],
}


@pytest.mark.parametrize("name", REFUSED_EVEN_SO)
def test_known_ways_around_are_refused_although_unknown_fields_are_dropped(
    blocking: Proxy, name: str
) -> None:
    answer = blocking.post(CHAT, chat(**{name: REFUSED_EVEN_SO[name]}))

    assert answer.status_code == 400
    assert answer.json()["error"]["param"].partition(".")[0] == name
    assert blocking.recorder.requests == []


ALLOWED: dict[str, Any] = {
    "chat_template": "{{ messages }}" + CANARY,
    "chat_template_kwargs": {"documents": [{"text": CANARY}]},
    "functions": [{"name": "f", "description": CANARY}],
    "vllm_xargs": {"x": [CANARY]},
    "kv_transfer_params": {"x": CANARY},
}


@pytest.mark.parametrize("name", ALLOWED)
def test_fields_that_the_operator_allows_are_screened_too(permissive: Proxy, name: str) -> None:
    assert_filtered(permissive.post(CHAT, chat(**{name: ALLOWED[name]})), CHAT)
    assert permissive.recorder.requests == []
    permissive.assert_serves()


def test_an_allowed_field_inside_a_message_is_screened_too(permissive: Proxy) -> None:
    inside = {**user(BENIGN), "tools": [{"type": "function", "function": {"name": CANARY}}]}
    assert_filtered(permissive.post(CHAT, chat(inside)), CHAT)
    assert permissive.recorder.requests == []


def test_text_beside_media_is_screened_where_media_are_allowed(permissive: Proxy) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    assert_filtered(permissive.post(CHAT, chat(user([image, text()]))), CHAT)
    assert permissive.recorder.requests == []


def test_prompts_are_screened_beside_dropped_fields(blocking: Proxy) -> None:
    assert_filtered(blocking.post(CHAT, chat(user(CANARY), guardrails=[])), CHAT)
    assert blocking.recorder.requests == []


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {ALICE}"},
        {"authorization": f"Bearer {ALICE},Bearer {BOB}"},
        {"authorization": f"Bearer {ALICE} x"},
        {"authorization": "", "x-api-key": "wrong"},
        {"authorization": "", "api-key": ALICE},
        {"authorization": "", "cookie": f"key={ALICE}"},
        {"authorization": "", "x-forwarded-for": "127.0.0.1"},
    ],
)
@pytest.mark.parametrize("route", [*BENIGN_BODIES, CHECK])
def test_nobody_without_a_key_is_served(
    blocking: Proxy, headers: dict[str, str], route: str
) -> None:
    answer = blocking.post(route, BENIGN_BODIES.get(route, {}), headers)

    assert answer.status_code == 401
    assert blocking.recorder.requests == []


def test_a_key_without_the_scope_may_not_check(blocking: Proxy) -> None:
    answer = blocking.post(CHECK, {"request": chat()}, key=BOB)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "key_scope")


@pytest.mark.parametrize(
    "body",
    [
        {"route": "/invocations", "request": chat()},
        {"route": CHECK, "request": {"route": CHECK, "request": chat()}},
        {"route": "//v1/chat/completions", "request": chat()},
        {"route": ["/v1/chat/completions"], "request": chat()},
        {"route": CHAT, "request": [chat()]},
        {"route": CHAT},
        {"request": chat(), "action": "allow"},
        {"request": chat(), "policies": []},
        {"requests": [chat()]},
    ],
)
def test_the_check_endpoint_takes_its_two_fields_only(blocking: Proxy, body: Body) -> None:
    answer = blocking.post(CHECK, body)

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] in {"route", "request", "action", "policies", "requests"}
    assert blocking.recorder.requests == []
