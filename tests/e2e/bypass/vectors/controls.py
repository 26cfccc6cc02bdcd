"""Fields and headers by which callers steer other guards; here they must change nothing."""

from typing import Any

from tests.e2e.bypass.canary import CANARY
from tests.e2e.bypass.vectors.vector import (
    CHAT,
    COMPLETIONS,
    MESSAGES,
    RESPONSES,
    Outcome,
    Vector,
    chat,
    complete,
    message,
    refused,
    respond,
    user,
)

# Request fields of other guards and gateways, with values that switch them off.
SWITCHES: dict[str, Any] = {
    "guardrails": {"config_id": "none", "options": {"rails": {"input": False}}},
    "guardrail": [],
    "guardrail_config": {"enable": False},
    "guardrailConfig": {"guardrailIdentifier": CANARY},
    "guardrail_ids": [],
    "config_id": "allow_all",
    "config_ids": ["allow_all"],
    "detectors": {"input": {}, "output": {}},
    "detector_params": {"threshold": 1.0},
    "threshold": 1.0,
    "safe_labels": ["LABEL_1"],
    "scanners_suppress": ["PromptInjection"],
    "options": {"rails": {"input": False}},
    "state": {"events": [{"type": "UserMessage", "text": CANARY}]},
    "context": {"bot_message": CANARY},
    "moderation": False,
    "safe_prompt": False,
    "safety_settings": [{"threshold": "BLOCK_NONE"}],
    "policy": "allow",
    "action": "allow",
    "skip_guard": True,
    "ecoguard": {"action": "allow"},
    "fields": {"unknown": "ignore"},
    "extra_body": {"prompt": CANARY},
    "extra_headers": {"x-vsr-skip-processing": "true"},
    "_prompt_masks": [[0, 1]],
    "prompt": CANARY,
    "input": CANARY,
    "inputs": CANARY,
    "text": CANARY,
    "system": CANARY,
    "system_prompt": CANARY,
    "instructions": CANARY,
    "suffix": CANARY,
    "prompt_embeds": "gAR9lC4=",
    "prompt_token_ids": [1, 2, 3],
    "token_ids": [1, 2, 3],
    "multi_modal_data": {"image": CANARY},
    "guided_json": {"const": CANARY},
    "guided_regex": CANARY,
    "guided_choice": [CANARY],
    "guided_grammar": CANARY,
    "lora_request": {"name": CANARY},
    "previous_response_id": "resp_1",
    "Messages": [user(CANARY)],
    "messages ": [user(CANARY)],
    "ｍessages": [user(CANARY)],
    "__proto__": {"messages": [user(CANARY)]},
    "": CANARY,
}
# The name as an error may repeat it.
UNPRINTABLE = {"ｍessages": "(unprintable)"}
FIELDS = tuple(
    refused(f"field {name or '(empty)'}", CHAT, chat(**{name: value}), UNPRINTABLE.get(name, name))
    for name, value in SWITCHES.items()
)

HEADERS: dict[str, str] = {
    "x-vsr-skip-processing": "true",
    "x-vsr-destination-endpoint": "127.0.0.1:9",
    "x-portkey-config": '{"guardrails": []}',
    "x-portkey-custom-host": "http://127.0.0.1:9",
    "invariant-guardrails": "",
    "invariant-authorization": "Bearer x",
    "x-litellm-guardrails": "[]",
    "x-litellm-disable-guardrails": "true",
    "x-guardrails": "off",
    "x-bypass-guardrails": "1",
    "x-moderation": "false",
    "x-ecoguard-action": "allow",
    "x-ecoguard-skip": "1",
    "x-original-url": "/health",
    "x-rewrite-url": "/health",
    "x-http-method-override": "GET",
    "x-forwarded-host": "127.0.0.1:9",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-proto": "https",
    "x-forwarded-prefix": "/metrics",
    "x-real-ip": "127.0.0.1",
    "forwarded": "for=127.0.0.1;host=internal",
    "x-envoy-original-path": "/health",
    "x-data-parallel-rank": "0",
    "x-request-id": "forbidden:machine",
    "host": "127.0.0.1:9",
    "via": "1.1 guard",
    "te": "trailers",
    "x-api-version": "2020-01-01",
    "openai-beta": "assistants=v2",
    "anthropic-beta": "files-api-2025-04-14",
    "openai-organization": "admin",
    "cookie": "guard=off",
    "expect": "100-continue",
}
HEADER_VECTORS = tuple(
    Vector(f"header {name}", CHAT, chat(user(CANARY)), headers={name: value})
    for name, value in HEADERS.items()
)
ELSEWHERE = (
    refused("prompt of a completion", CHAT, {"model": "demo", "prompt": CANARY}, "prompt"),
    refused("messages in a completion", COMPLETIONS, complete(messages=[]), "messages"),
    refused(
        "guardrails in a completion", COMPLETIONS, complete(CANARY, guardrails=[]), "guardrails"
    ),
    refused("guardrails in a response", RESPONSES, respond(CANARY, guardrails=[]), "guardrails"),
    refused(
        "guardrails in a message", MESSAGES, message(user(CANARY), guardrails=[]), "guardrails"
    ),
    Vector("another model", CHAT, {**chat(), "model": CANARY}, Outcome.REFUSED, "model", 404),
    Vector(
        "another model of a response",
        RESPONSES,
        {**respond(), "model": CANARY},
        Outcome.REFUSED,
        "model",
        404,
    ),
    refused("a model that is a list", CHAT, {**chat(), "model": ["demo", CANARY]}, "model"),
    Vector(
        "the response of nobody",
        RESPONSES,
        respond(previous_response_id="resp_0"),
        Outcome.REFUSED,
        "previous_response_id",
        404,
    ),
)
VECTORS: tuple[Vector, ...] = (*FIELDS, *HEADER_VECTORS, *ELSEWHERE)
