"""Server-sent events, sans-IO: bytes in any cut, complete events out."""

LONGEST_EVENT = 64 << 20
DONE = b"[DONE]"
BLANK_LINE = b"\n\n"


def single(events: bytes) -> list[bytes]:
    """Complete events one by one, without the blank lines behind them."""
    return [event for event in events.replace(b"\r\n", b"\n").split(BLANK_LINE) if event]


def data_of(event: bytes) -> bytes:
    """The data of one event, its lines joined; nothing for a comment."""
    return b"\n".join(line[5:] for line in event.split(b"\n") if line.startswith(b"data:"))


class EventSplitter:
    """Cuts a byte stream into complete events, each with its blank line.

    Event ends are LF LF or CR LF CR LF, as vLLM and the proxies in front of it send them. What
    stands behind the last blank line is held back, so that an error event can follow at any time
    without landing inside a half-sent one.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self.done = False

    def feed(self, chunk: bytes) -> bytes:
        """All events completed by `chunk`, joined; empty when none is.

        Raises ValueError when one event grows beyond 64 MiB.
        """
        if not self._held and chunk.endswith(b"\n\n"):  # as vLLM sends them: nothing to cut
            self.done = _is_end(chunk)
            return chunk
        self._held += chunk
        end = max(_after(self._held, b"\n\n"), _after(self._held, b"\r\n\r\n"))
        if end == 0:
            if len(self._held) > LONGEST_EVENT:
                raise ValueError("event too long")
            return b""
        complete = bytes(self._held[:end])
        del self._held[:end]
        self.done = _is_end(complete)
        return complete

    @property
    def pending(self) -> bool:
        """Whether a half event is held back."""
        return bool(self._held)


def _is_end(events: bytes) -> bool:
    return events[-64:].rstrip().endswith(DONE)


def _after(held: bytearray, blank: bytes) -> int:
    """The index just behind the last `blank` line in `held`, 0 when there is none."""
    found = held.rfind(blank)
    return 0 if found < 0 else found + len(blank)
