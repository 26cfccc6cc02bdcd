"""The load generator and the scripted model server, against each other."""

from itertools import islice

import orjson
import pytest

from lab.performance.load import LoadError, Samples, put_load
from lab.performance.model_server import Script, serve
from lab.performance.prompts import bodies, bounded
from tests.fakes import FakeVLLM
from tests.servers import serving


async def load(script: Script, *, stream: bool, model: str, most: int, connections: int) -> Samples:
    server = await serve(script, 0)
    try:
        port = server.sockets[0].getsockname()[1]
        sent = bodies("new", 8, stream=stream, model=model)
        return await put_load(port, sent, connections=connections, seconds=30, most=most)
    finally:
        server.close()


@pytest.mark.parametrize("stream", [False, True])
async def test_every_request_is_answered_and_timed(stream: bool) -> None:
    samples = await load(Script(events=3), stream=stream, model="prompt", most=20, connections=4)
    assert len(samples.totals) == len(samples.first_bytes) == 20
    pairs = zip(samples.first_bytes, samples.totals, strict=True)
    assert all(total > 0 for total in samples.totals)
    assert samples.rate > 0
    assert samples.percentile(50) <= samples.percentile(99)
    assert stream or all(first <= total for first, total in pairs)


async def test_a_late_answer_is_late() -> None:
    script = Script(first_byte_s=0.02)
    samples = await load(script, stream=False, model="late", most=2, connections=1)
    assert min(samples.first_bytes) >= 0.02


async def test_paced_events_come_one_by_one() -> None:
    script = Script(first_byte_s=0.001, events=3, event_s=0.01)
    samples = await load(script, stream=True, model="paced", most=1, connections=1)
    assert samples.totals[0] - samples.first_bytes[0] >= 0.02


async def test_an_error_is_no_sample() -> None:
    async with serving(FakeVLLM(status=503)) as url:
        port = int(url.rpartition(":")[2])
        sent = islice(bodies("new", 8, stream=False), 1)
        with pytest.raises(LoadError, match="503"):
            await put_load(port, sent, connections=1, seconds=1, most=1)


def test_conversations_repeat_what_they_say_they_repeat() -> None:
    new = [orjson.loads(b) for b in islice(bodies("new", 20, stream=False), 2)]
    assert new[0]["messages"] != new[1]["messages"]
    assert len(new[0]["messages"][0]["content"].split()) == 20
    growing = [orjson.loads(b)["messages"] for b in islice(bodies("growing", 9, stream=True), 2)]
    assert growing[0][:-1] == growing[1][:-1]
    assert len(growing[0]) == 9
    assert growing[0][-1] != growing[1][-1]
    one, other = islice(bodies("repeated", 9, stream=False), 2)
    assert one == other


def test_answers_can_be_bounded() -> None:
    sent = orjson.loads(next(bounded(bodies("new", 9, stream=True), 5)))
    assert (sent["max_tokens"], sent["stream"]) == (5, True)


def test_runs_send_other_texts_and_a_run_the_same() -> None:
    first, again, other = (next(bodies("new", 9, stream=False, run=run)) for run in (1, 1, 2))
    assert first == again != other
