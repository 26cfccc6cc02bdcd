"""The relay: an honest end whatever happens upstream."""

from collections.abc import AsyncIterator

import pytest

from guard.terms.errors import UpstreamError
from guard.terms.json import JsonObject
from guard.upstream.relay import NeutralErrors, relay_events
from guard.wire.fields import FieldRules
from guard.wire.messages import MessagesProtocol
from guard.wire.protocol import WireProtocol
from guard.wire.protocols import CHAT
from guard.wire.responses import ResponsesProtocol
from tests.fakes import chat_chunk

MESSAGES, RESPONSES = MessagesProtocol(), ResponsesProtocol()

CHUNK = b'data: {"choices": []}\n\n'
DONE = b"data: [DONE]\n\n"


async def relayed(*chunks: bytes | Exception, neutral: bool = False) -> bytes:
    async def upstream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    translator = NeutralErrors(CHAT) if neutral else None
    return b"".join([event async for event in relay_events(upstream(), translator, CHAT)])


@pytest.mark.parametrize("neutral", [False, True])
async def test_complete_stream_is_untouched(neutral: bool) -> None:
    assert await relayed(CHUNK, CHUNK + DONE, neutral=neutral) == CHUNK * 2 + DONE


@pytest.mark.parametrize("protocol", [CHAT, MESSAGES, RESPONSES], ids=lambda p: p.name)
async def test_a_comment_keeps_the_clients_connection_alive_too(protocol: WireProtocol) -> None:
    asked = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}
    body: JsonObject = {"model": "demo", **({"input": "hi"} if protocol is RESPONSES else asked)}
    translator = protocol.event_translator(protocol.parse(body, FieldRules(), None))
    chunks = [b": ping\n\n", chat_chunk("hi"), b": ping\n\n", chat_chunk("", "stop"), DONE]

    async def upstream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    sent = [events async for events in relay_events(upstream(), translator, protocol)]

    assert sent[0]
    assert sent[2].startswith(b": ")


@pytest.mark.parametrize(
    "chunks",
    [(CHUNK,), (CHUNK, b"data: {"), (CHUNK, UpstreamError("lost")), (), (DONE, b"data: x")],
)
async def test_torso_ends_with_an_error_event(chunks: tuple[bytes | Exception, ...]) -> None:
    stream = await relayed(*chunks)

    assert b'"error"' in stream.split(b"\n\n")[-2]
    assert not stream.endswith(DONE)


async def test_vllms_own_error_is_said_in_neutral_words_for_corrupted_requests() -> None:
    error = b'data: {"error": {"message": "prompt_embeds of shape (3, 4)"}}\n\n'

    plain = await relayed(CHUNK + error, DONE)
    neutral = await relayed(CHUNK + error, DONE, neutral=True)

    assert b"prompt_embeds" in plain
    assert b"prompt_embeds" not in neutral
    assert b"The model server failed" in neutral
    assert neutral.endswith(DONE)


async def test_word_error_in_an_answer_is_no_error() -> None:
    said = b'data: {"choices": [{"delta": {"content": "an \\"error\\" here"}}]}\n\n'

    assert await relayed(said, DONE, neutral=True) == said + DONE
