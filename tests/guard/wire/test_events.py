"""Cutting a byte stream into events: any cut of the bytes gives the same events."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.wire.events import EventSplitter


def fed(chunks: list[bytes]) -> tuple[list[bytes], EventSplitter]:
    splitter = EventSplitter()
    return [events for chunk in chunks if (events := splitter.feed(chunk))], splitter


@pytest.mark.parametrize(
    ("chunks", "events", "done", "pending"),
    [
        ([b"data: a\n\n"], [b"data: a\n\n"], False, False),
        ([b"data: a\n", b"\n"], [b"data: a\n\n"], False, False),
        ([b"data: a\r\n\r\n"], [b"data: a\r\n\r\n"], False, False),
        ([b"data: a\n\ndata: b"], [b"data: a\n\n"], False, True),
        ([b"data: a\n\ndata: [DONE]\n\n"], [b"data: a\n\ndata: [DONE]\n\n"], True, False),
        ([b"data: [DO", b"NE]\n\n"], [b"data: [DONE]\n\n"], True, False),
        (
            [b"data: [DONE]\n\n", b"data: b\n\n"],
            [b"data: [DONE]\n\n", b"data: b\n\n"],
            False,
            False,
        ),
        ([b"data: [DONE]"], [], False, True),
        ([], [], False, False),
    ],
)
def test_events(chunks: list[bytes], events: list[bytes], done: bool, pending: bool) -> None:
    found, splitter = fed(chunks)

    assert (found, splitter.done, splitter.pending) == (events, done, pending)


@given(st.lists(st.text(alphabet="aé\u2028世 ", max_size=8), max_size=6), st.data())
def test_any_cut_gives_the_same_bytes_in_whole_events(
    texts: list[str], data: st.DataObject
) -> None:
    stream = b"".join(b"data: " + text.encode() + b"\n\n" for text in texts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    bounds = [0, *cuts, len(stream)]
    chunks = [stream[a:b] for a, b in pairwise(bounds)]

    found, splitter = fed(chunks)

    assert b"".join(found) == stream
    assert all(events.endswith(b"\n\n") for events in found)
    assert not splitter.pending


def test_endless_event_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guard.wire.events.LONGEST_EVENT", 10)

    with pytest.raises(ValueError, match="too long"):
        EventSplitter().feed(b"data: 0123456789")
