"""Bodies to start from: benign ones and every bypass vector, for all POST routes."""

from typing import Any

from tests.e2e.bypass.canary import CANARY, TokenIds
from tests.e2e.bypass.vectors import ALL
from tests.e2e.bypass.vectors.vector import (
    CHAT,
    CHECK,
    COMPLETIONS,
    COUNT_TOKENS,
    EMBEDDINGS,
    MESSAGES,
    RESPONSES,
    TOKENIZE,
    Body,
    chat,
    complete,
    embed,
    function,
    message,
    respond,
)

DETOKENIZE = "/detokenize"
CANCEL = "/v1/responses/resp_1/cancel"
ROUTES = (
    CHAT,
    COMPLETIONS,
    RESPONSES,
    MESSAGES,
    COUNT_TOKENS,
    EMBEDDINGS,
    TOKENIZE,
    DETOKENIZE,
    CHECK,
    CANCEL,
)
LARGEST_SEED = 20_000
BENIGN: dict[str, list[Body]] = {
    CHAT: [
        chat(),
        chat(stream=True, stream_options={"include_usage": True}),
        chat(n=2, temperature=0.5, stop=["x"], seed=1, logit_bias={"5": 1}, top_logprobs=2),
        chat(tools=[function()], tool_choice="auto", parallel_tool_calls=True),
        chat(response_format={"type": "json_object"}, structured_outputs={"choice": ["a", "b"]}),
    ],
    COMPLETIONS: [
        complete(),
        complete(["one", "two"], stream=True),
        complete([1, 2, 3], logprobs=2),
        complete([[1], [2]], suffix="end"),
    ],
    RESPONSES: [
        respond(),
        respond(stream=True, instructions="Be brief.", metadata={"a": "b"}),
        respond(previous_response_id="resp_1", reasoning={"effort": "low"}, include=[]),
        respond([{"role": "assistant", "status": "incomplete", "content": "I was"}], top_p=0.5),
    ],
    MESSAGES: [message(), message(stream=True, system="Be brief."), message(top_k=5)],
    COUNT_TOKENS: [{"model": "demo", "messages": [{"role": "user", "content": "Hello."}]}],
    EMBEDDINGS: [embed(), embed(["a", "b"], encoding_format="base64")],
    TOKENIZE: [{"model": "demo", "prompt": "Hello.", "add_special_tokens": False}],
    DETOKENIZE: [{"model": "demo", "tokens": [1, 2, 3]}],
    CHECK: [{"route": CHAT, "request": chat()}, {"request": chat()}],
    CANCEL: [{}],
}


def seeds() -> dict[str, list[Body]]:
    """Bodies by route; the benign ones as often as all others, so that answers are fuzzed too."""
    found = {route: list(BENIGN[route]) for route in ROUTES}
    for vector in ALL:
        if isinstance(vector.body, dict) and len(str(vector.body)) < LARGEST_SEED:
            found[vector.route].append(_plain(vector.body))
            found[CHECK].append({"route": vector.route, "request": _plain(vector.body)})
    for route, bodies in found.items():
        benign = BENIGN[route]
        bodies += [benign[i % len(benign)] for i in range(len(bodies))]
    return found


def _plain(value: Any) -> Any:
    """A vector's body with invented token ids: its tokenizer is not at hand."""
    if isinstance(value, TokenIds):
        return [ord(letter) for letter in CANARY]
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
