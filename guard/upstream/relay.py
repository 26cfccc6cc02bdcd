"""The relay of a stream: complete events only, and an honest end when the model server is lost."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Protocol

import orjson

from guard.terms.errors import ClientVisibleError, UpstreamError
from guard.wire.events import BLANK_LINE, EventSplitter, single
from guard.wire.protocol import EventTranslator

HEARTBEAT = b": keep-alive\n\n"


class ErrorEvents(Protocol):
    """Knows how an error looks inside a stream."""

    def error_event(self, error: ClientVisibleError) -> bytes:
        """The event that tells of `error`."""
        ...


class Listener(Protocol):
    """Is told what is let out."""

    def feed(self, events: bytes) -> None:
        """Complete events, before they are translated."""
        ...

    def finish(self) -> None:
        """Nothing follows: the answer is complete, broken off, or nobody waits for the rest."""
        ...


async def relay_events(
    chunks: AsyncGenerator[bytes] | AsyncIterator[bytes],
    translator: EventTranslator | None,
    protocol: ErrorEvents,
    listener: Listener | None = None,
) -> AsyncGenerator[bytes]:
    """Complete events, as they come in; `listener` is told of them too.

    When the upstream is lost, or ends without `[DONE]`, an error event is the last thing sent:
    a client that waits for `[DONE]` must not take a torso for an answer. So it is where the answer
    cannot be judged.
    """
    splitter = EventSplitter()
    try:
        async for chunk in chunks:
            events = splitter.feed(chunk)
            if events:
                if listener:
                    _tell(listener, events, ended=splitter.done)
                yield _passed_on(events, translator)
        if not splitter.done or splitter.pending:
            raise UpstreamError("The model server ended its answer early")
        if translator and (last := translator.finish()):
            yield last
    except ClientVisibleError as error:
        yield protocol.error_event(error)
    except ValueError:
        yield protocol.error_event(UpstreamError("The model server sent an unreadable answer"))
    finally:
        if listener:
            listener.finish()


def _tell(listener: Listener, events: bytes, *, ended: bool) -> None:
    listener.feed(events)
    if ended:  # before the client reads it, and asks the next question
        listener.finish()


def _passed_on(events: bytes, translator: EventTranslator | None) -> bytes:
    """The client's events; a comment that keeps the connection alive is one for the client too."""
    if translator is None:
        return events
    return translator.feed(events) or (HEARTBEAT if events.startswith(b":") else b"")


class NeutralErrors:
    """Passes events on, but says the model server's own errors in neutral words.

    For corrupted requests: an error that names embeddings would tell them apart.
    """

    def __init__(self, protocol: ErrorEvents) -> None:
        self._neutral = protocol.error_event(UpstreamError("The model server failed"))

    def feed(self, events: bytes) -> bytes:
        """The events, each that is an error replaced."""
        if b'"error"' not in events:
            return events
        return b"".join(
            self._neutral if _is_error(event) else event + BLANK_LINE for event in single(events)
        )

    def finish(self) -> bytes:
        """Nothing is held back."""
        return b""


def _is_error(event: bytes) -> bool:
    try:
        body = orjson.loads(event.removeprefix(b"data:"))
    except orjson.JSONDecodeError:
        return False
    return isinstance(body, dict) and "error" in body
