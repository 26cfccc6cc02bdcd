"""What a client is told: one reply, sent as it comes, or one error in its place."""

from contextlib import aclosing
from time import perf_counter
from typing import Protocol

from starlette.types import Send

from guard.gateway.client import JSON, Reply
from guard.limits.charge import Charge
from guard.observability.metrics import Metrics
from guard.observability.trace import UNTRACED, Trace
from guard.terms.entry import Entry
from guard.terms.errors import FAILURE_CODES, ClientVisibleError
from guard.terms.json import JsonObject
from guard.terms.verdict import Action
from guard.wire.json_body import serialise

# In audit rows, for a client that left before it had a status (nginx' convention).
CLIENT_GONE = 499

DROPPED_FIELDS = "x-ecoguard-dropped-fields"
CONTROL_TOKENS = "x-ecoguard-control-tokens"

_ACTIONS = {action.label: action for action in Action}
_LAST = {"type": "http.response.body", "body": b"", "more_body": False}


class Envelope(Protocol):
    """How a route's errors look, and the path it is counted under."""

    @property
    def route(self) -> str:
        """The path."""
        ...

    def error_body(self, error: ClientVisibleError) -> JsonObject:
        """The body of an error answer."""
        ...


class ReplySender:
    """Sends one reply, or one error in its place; never a second status.

    `entry` is None until the request is admitted; `status` is what the client was told, once it
    was. The tokens of an answer are read where `reads_tokens`, or a limit, asks.
    """

    def __init__(
        self,
        send: Send,
        request_id: str,
        route: str,
        metrics: Metrics,
        *,
        reads_tokens: bool = True,
    ) -> None:
        self._send = send
        self._request_id = request_id
        self._route = route
        self._metrics = metrics
        self._reads_tokens = reads_tokens
        self._begun = False
        self.entry: Entry | None = None
        self.charge: Charge | None = None
        self.trace: Trace = UNTRACED
        self.status = CLIENT_GONE
        self._told = "disconnected"  # the action, as far as it was known with the status
        self.started = perf_counter()

    @property
    def action(self) -> str:
        """What was done: with the status, or later, to an answer that was judged on its way."""
        verdict = self.entry.verdicts.get("answer") if self.entry else None
        if verdict is None or self._told not in _ACTIONS:
            return self._told
        if verdict.failure:
            return FAILURE_CODES[verdict.failure]
        return max(_ACTIONS[self._told], verdict.action).label

    async def send(self, reply: Reply) -> None:
        """Send a reply; its status goes out with the first chunk of its body."""
        if isinstance(reply.body, bytes):
            self._take_down(reply.body)
            await self._settle(reply.action)
            await self._send_chunk(reply, reply.body, more=False)
            return
        async with aclosing(reply.body) as chunks:
            async for chunk in chunks:
                self._take_down(chunk)
                await self._send_chunk(reply, chunk, more=True)
        if not self._begun:
            await self._begin(reply)
        await self._settle(reply.action)
        await self._send(_LAST)

    def _take_down(self, chunk: bytes) -> None:
        if self.entry and (self._reads_tokens or self.charge):
            self.entry.read_usage(chunk)
        if self.charge:
            self.charge.count(chunk)

    async def _send_chunk(self, reply: Reply, chunk: bytes, *, more: bool) -> None:
        if not self._begun:
            self._metrics.first_byte_seconds.labels(self._route).observe(
                perf_counter() - self.started
            )
            await self._begin(reply)
        await self._send({"type": "http.response.body", "body": chunk, "more_body": more})

    async def _settle(self, action: str) -> None:
        if self.charge:
            await self.charge.settle(*self._tokens(), action)

    def _tokens(self) -> tuple[int | None, int]:
        """What the model server has counted, and what detectors have read."""
        return (self.entry.tokens, self.entry.screened_tokens) if self.entry else (None, 0)

    def end_charge(self) -> None:
        """See that the request no longer counts as running, however it ended."""
        if self.charge:
            self.charge.end(*self._tokens(), self._told)

    async def send_error(self, envelope: Envelope, error: ClientVisibleError) -> None:
        """Send an error, unless an answer is under way already."""
        if self._begun:
            return
        body = serialise(envelope.error_body(error))
        await self.send(Reply(error.status, body, JSON, error.headers, action=error.action))

    async def _begin(self, reply: Reply) -> None:
        request_id = self._request_id.encode()
        headers = [
            (b"content-type", reply.content_type.encode()),
            (b"x-request-id", request_id),
            (b"request-id", request_id),  # what Anthropic's clients read
            (b"cache-control", b"no-store"),
        ]
        if isinstance(reply.body, bytes):
            headers.append((b"content-length", str(len(reply.body)).encode()))
        if self.entry and self.entry.dropped_fields:
            headers.append((DROPPED_FIELDS.encode(), self.entry.dropped_fields.encode()))
        if self.entry and self.entry.control_tokens:
            headers.append((CONTROL_TOKENS.encode(), self.entry.control_tokens.encode()))
        extra = {**self.charge.headers, **reply.headers} if self.charge else reply.headers
        if extra:
            headers += [(name.encode(), value.encode()) for name, value in extra.items()]
        self._begun = True
        self.status, self._told = reply.status, reply.action
        self._metrics.answered(self._route, reply.action, reply.status)
        await self._send(
            {"type": "http.response.start", "status": reply.status, "headers": headers}
        )
