"""vLLM's streams as steps: blocks follow one another, and add up to the whole answer."""

import pytest
from hypothesis import given

from guard.terms.errors import UpstreamError
from guard.wire.chat_answers import Block, Kind
from guard.wire.chat_stream import Began, BlockStream, Grew, Step, event_data
from tests.guard.wire.transcripts import (
    DONE,
    TOOL_STREAM,
    USAGE,
    chunk,
    ended,
    sse,
    streams,
    tool_delta,
)


def run(events: list[bytes]) -> tuple[list[Step], BlockStream]:
    stream = BlockStream()
    steps = [step for event in events for step in stream.feed(event)]
    return steps + list(stream.finish()), stream


def texts(stream: BlockStream) -> list[tuple[Kind, str]]:
    return [(block.kind, block.text) for block in stream.blocks]


def test_blocks_of_every_kind() -> None:
    _, stream = run(TOOL_STREAM)
    assert texts(stream) == [
        (Kind.REASONING, "They ask for rain."),
        (Kind.TEXT, "Let me see."),
        (Kind.TOOL_CALL, '{"city":"Ulm"}'),
        (Kind.TOOL_CALL, "{}"),
    ]
    answer = stream.answer()
    assert (answer.finish_reason, answer.usage.prompt_tokens) == ("tool_calls", 9)


def test_text_inside_a_tool_call_follows_it() -> None:
    events = [
        chunk(tool_delta(0, "{", "f", "a")),
        chunk({"content": "by the way"}),
        chunk(tool_delta(0, "}")),
        *ended(),
    ]
    assert texts(run(events)[1]) == [(Kind.TOOL_CALL, "{}"), (Kind.TEXT, "by the way")]


def test_other_choices_are_not_read() -> None:
    events = [chunk({"content": "a"}), chunk({"content": "b"}, index=1), *ended()]
    assert texts(run(events)[1]) == [(Kind.TEXT, "a")]


def test_logprobs_of_a_split_character_wait_for_it() -> None:
    def logprobs(token: str) -> dict[str, object]:
        return {"content": [{"token": token, "logprob": -0.5, "bytes": [1], "top_logprobs": []}]}

    events = [
        chunk({"content": ""}, logprobs=logprobs("x")),
        chunk({"content": "世"}, logprobs=logprobs("y")),
        *ended(),
    ]
    steps, _ = run(events)
    grown = [step for step in steps if isinstance(step, Grew)]
    assert [each.token for each in grown[0].logprobs] == ["x", "y"]


@pytest.mark.parametrize(
    "events",
    [
        [sse({"error": {"message": "boom", "code": 500}}), DONE],
        [chunk({"content": "a"}), b"data: {half\n\n", *ended()],
        [chunk({"content": "a"}), DONE],
        [chunk({"content": "a"}), *ended("abort")],
        [chunk({"content": "a"}), *ended("error")],
        [chunk(tool_delta(0, "{}")), *ended()],
        [
            chunk(tool_delta(0, "{", "f", "a")),
            chunk(tool_delta(1, "{}", "g", "b")),
            chunk(tool_delta(0, "}")),
            *ended(),
        ],
        [DONE],
    ],
)
def test_broken_streams_are_upstream_errors(events: list[bytes]) -> None:
    with pytest.raises(UpstreamError):
        run(events)


def test_an_empty_stream_holds_nothing() -> None:
    steps, stream = run(ended())
    assert (steps, texts(stream)) == ([], [])
    assert stream.usage.prompt_tokens == USAGE["prompt_tokens"]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data: a\r\n\r\ndata: [DONE]\r\n\r\n", [b"a"]),
        (b": ping\n\nevent: x\nid: 1\ndata:a\n\n", [b"a"]),
        (b"data: a\ndata: b\n\n", [b" a\n b".strip()]),
        (b"", []),
    ],
)
def test_event_data(events: bytes, expected: list[bytes]) -> None:
    assert list(event_data(events)) == expected


@given(streams())
def test_one_block_is_open_at_a_time_and_pieces_add_up(events: list[bytes]) -> None:
    stream = BlockStream()
    steps: list[Step] = []
    try:
        for event in events:
            steps += stream.feed(event)
        steps += stream.finish()
    except UpstreamError:
        return
    open_block: Block | None = None
    grown: dict[int, str] = {}
    for step in steps:
        if isinstance(step, Began):
            assert open_block is None
            assert step.block.index == len(grown)
            open_block, grown[step.block.index] = step.block, ""
        else:
            assert step.block is open_block
            if isinstance(step, Grew):
                grown[step.block.index] += step.piece
            else:
                open_block = None
    assert open_block is None
    assert list(grown.values()) == [block.text for block in stream.blocks]
