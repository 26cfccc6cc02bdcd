"""What an agent sent, once more: straight to vLLM and through the proxy, for a short answer."""

import json
from collections.abc import Sequence

import httpx2

from tests.e2e.bypass.recorder import Recorded

SHORT = 4


def same_answers(direct: str, proxied: str, key: str, sent: Sequence[Recorded]) -> str:
    """`equal` where both servers serve them alike; else what differs.

    The first request has everything that the agent sends: its prompt has as many tokens with both.
    The last one has earlier calls, which a template may show with their keys in another order.
    """
    if not sent:
        return "nothing was sent"
    with httpx2.Client(timeout=600) as client:
        for is_first, request in ((True, sent[0]), (False, sent[-1])):
            ours, theirs = (_asked(client, url, key, request) for url in (proxied, direct))
            if ours[0] != theirs[0] or (is_first and ours != theirs):
                return f"vLLM {theirs}, proxy {ours}"
            if ours[0] != 200:
                return f"both {ours[0]}"
    return "equal"


def _asked(client: httpx2.Client, url: str, key: str, request: Recorded) -> tuple[int, object]:
    body = _short(json.loads(request.body))
    headers = {"authorization": f"Bearer {key}"}
    reply = client.post(url + request.path, json=body, headers=headers)
    usage = reply.json().get("usage") or {}
    return reply.status_code, usage.get("prompt_tokens", usage.get("input_tokens"))


def _short(body: dict[str, object]) -> dict[str, object]:
    """The same request for a whole answer of four tokens."""
    bounds = ("max_tokens", "max_completion_tokens", "max_output_tokens")
    named = next((bound for bound in bounds if bound in body), None)
    if named is None:
        named = "max_output_tokens" if "input" in body else "max_tokens"
    body.pop("stream_options", None)
    return {**body, "stream": False, named: SHORT}
