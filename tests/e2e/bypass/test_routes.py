"""Paths, methods and bytes on the wire: what is not in the table of routes does not exist."""

import orjson
import pytest

from tests.e2e.bypass.canary import CANARY
from tests.e2e.bypass.raw import chunked, exchange, posted, request
from tests.e2e.bypass.rig import Proxy
from tests.e2e.bypass.vectors.vector import CHAT, COMPLETIONS, chat, complete, user

pytestmark = pytest.mark.vllm

ATTACK = orjson.dumps(chat(user(CANARY)))
PROMPT = orjson.dumps(complete(CANARY))
BENIGN = orjson.dumps(chat())
CLOSE = "connection: close"

# What a generating vLLM serves besides the guarded routes, and what other servers do.
CLOSED = (
    "/invocations",
    "/inference/v1/generate",
    "/inference/v1/abort_requests",
    "/generative_scoring",
    "/pooling",
    "/classify",
    "/score",
    "/v1/score",
    "/rerank",
    "/v1/rerank",
    "/v2/rerank",
    "/v1/chat/completions/batch",
    "/v1/chat/completions/render",
    "/v1/chat/completions/derender",
    "/v1/completions/render",
    "/v1/completions/derender",
    "/v1/systemone",
    "/v2/embed",
    "/collective_rpc",
    "/update_weights",
    "/init_weight_transfer_engine",
    "/v1/load_lora_adapter",
    "/v1/unload_lora_adapter",
    "/pause",
    "/resume",
    "/sleep",
    "/wake_up",
    "/reset_prefix_cache",
    "/reset_mm_cache",
    "/reset_encoder_cache",
    "/scale_elastic_ep",
    "/start_profile",
    "/abort_requests",
    "/v1/files",
    "/v1/batches",
    "/v1/audio/transcriptions",
    "/v1/audio/translations",
    "/v1/audio/speech",
    "/v1/images/generations",
    "/v1/images/edits",
    "/v1/realtime",
    "/v1/assistants",
    "/v1/threads/runs",
    "/v1/fine_tuning/jobs",
    "/v1/engines/demo/completions",
    "/openai/deployments/demo/chat/completions",
    "/v1/messages/batches",
    "/v1/complete",
    "/generate",
    "/generate_stream",
    "/api/generate",
    "/api/chat",
    "/v1internal:generateContent",
    "/v1/responses/input_tokens",
    "/docs",
    "/redoc",
    "/openapi.json",
    "/load",
    "/kv_event_sources",
    "/",
)
# Other ways to write the path of a guarded route.
VARIANTS = (
    "//v1/chat/completions",
    "/v1//chat/completions",
    "/v1/chat//completions",
    "/v1/chat/completions/",
    "/v1/chat/completions//",
    "/v1/chat/completions/.",
    "/./v1/chat/completions",
    "/v1/./chat/completions",
    "/v1/chat/../chat/completions",
    "/x/../v1/chat/completions",
    "/metrics/../v1/completions",
    "/v1%2fchat%2fcompletions",
    "/v1%2Fchat/completions",
    "/v1/chat%252fcompletions",
    "/%76%31/chat/completions",
    "/v1/chat/completion%73",
    "/v1/chat/completions%20",
    "/v1/chat/completions%00",
    "/v1/chat/completions%0a",
    "/v1/chat/completions%3fx",
    "/v1/chat/completions;x=1",
    "/v1/chat/completions.json",
    "/v1/chat\\completions",
    "/V1/chat/completions",
    "/v1/Chat/Completions",
    "/v1/chat/completions&x",
    "/v1/chat/completıons",
    "/..;/v1/chat/completions",
    "/health/..%2fv1/completions",
    "/v1/responses/../completions",
    "/v1/responses/x%2f..%2f..%2fcompletions",
    "v1/chat/completions",
    "",
)


def assert_nothing_sent(proxy: Proxy) -> None:
    assert proxy.recorder.requests == []
    proxy.assert_serves()


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_other_routes_are_closed(blocking: Proxy, path: str, method: str) -> None:
    (answer,) = exchange(blocking, request(path, ATTACK, CLOSE, method=method))

    # A GET below `/v1/responses/` asks for a stored answer, of which there is none.
    assert answer.status in (404, 405)
    assert answer.code in ("unknown_url", "method_not_allowed", "response_not_found")
    assert blocking.recorder.requests == []


@pytest.mark.parametrize("path", VARIANTS)
@pytest.mark.parametrize("prefix", ["", "http://guard"])
def test_other_spellings_of_a_path_are_no_routes(blocking: Proxy, path: str, prefix: str) -> None:
    answers = exchange(blocking, request(prefix + path, ATTACK, CLOSE))

    assert answers[0].status in (400, 404)
    assert blocking.sent_on() == []


@pytest.mark.parametrize(
    "target",
    [
        f"{CHAT}?x=1",
        f"{CHAT}?",
        f"{CHAT}?skip_guard=true&detectors=",
        f"{CHAT}?model=other&prompt=x",
        f"{CHAT}#fragment",
        f"http://guard{CHAT}",
        f"http://user:word@elsewhere{CHAT}",
        f"{CHAT}?/../../v1/completions",
        f"{CHAT}?%2e%2e%2f",
    ],
)
def test_queries_and_hosts_in_the_target_change_nothing(blocking: Proxy, target: str) -> None:
    (blocked,) = exchange(blocking, request(target, ATTACK, CLOSE))
    assert (blocked.status, blocked.code) == (400, "content_filter")
    assert blocking.recorder.requests == []

    (answered,) = exchange(blocking, request(target, BENIGN, CLOSE))
    assert answered.status == 200
    (sent,) = blocking.sent_on()
    assert (sent.path, sent.query) == (CHAT, "")


@pytest.mark.parametrize(
    "method",
    ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "LINK", "QUERY"],
)
@pytest.mark.parametrize("path", [CHAT, COMPLETIONS])
def test_other_methods_are_not_allowed(blocking: Proxy, method: str, path: str) -> None:
    sent = request(path, ATTACK, CLOSE, "x-http-method-override: POST", method=method)
    if method == "HEAD":
        # `http.client` cannot know that this answer has no body.
        assert exchange_status(blocking, sent) == 405
    else:
        assert exchange(blocking, sent)[0].status in (400, 405)
    assert_nothing_sent(blocking)


def exchange_status(proxy: Proxy, sent: bytes) -> int:
    answer = proxy.client.request("HEAD", CHAT)
    assert sent.startswith(b"HEAD")
    return answer.status_code


@pytest.mark.parametrize("method", ["post", "POSTX", "P\tOST", "CONNECT", "PRI"])
def test_methods_that_are_none(blocking: Proxy, method: str) -> None:
    answers = exchange(blocking, request(CHAT, ATTACK, CLOSE, method=method))

    assert all(answer.status in (400, 404, 405) for answer in answers)
    assert_nothing_sent(blocking)


def test_a_chunked_body_is_read_as_one(blocking: Proxy) -> None:
    pieces = [ATTACK[i : i + 7] for i in range(0, len(ATTACK), 7)]
    sent = posted(chunked(*pieces), "transfer-encoding: chunked", CLOSE, length=False)
    (answer,) = exchange(blocking, sent)

    assert (answer.status, answer.code) == (400, "content_filter")
    assert_nothing_sent(blocking)


BOTH = "transfer-encoding: chunked"
HIDDEN = request(COMPLETIONS, PROMPT, CLOSE)
SMUGGLED: dict[str, bytes] = {
    "length and chunked": posted(chunked(BENIGN) + HIDDEN, f"content-length: {len(BENIGN)}", BOTH),
    "chunked ends early, a request in the length": posted(chunked() + HIDDEN, BOTH),
    "two lengths": posted(BENIGN + HIDDEN, "content-length: 0"),
    "two equal lengths, then another": posted(BENIGN + HIDDEN, f"content-length: {len(BENIGN)}"),
    "list of lengths": posted(BENIGN, f"content-length: {len(BENIGN)}, 0", length=False),
    "length with a sign": posted(BENIGN, f"content-length: +{len(BENIGN)}", length=False),
    "length in hexadecimal": posted(BENIGN, f"content-length: 0x{len(BENIGN):x}", length=False),
    "negative length": posted(BENIGN, "content-length: -1", length=False),
    "length that is a word": posted(BENIGN, "content-length: many", length=False),
    "chunked twice": posted(chunked(ATTACK), "transfer-encoding: chunked, chunked", length=False),
    "chunked, then identity": posted(
        chunked(ATTACK), "transfer-encoding: chunked, identity", length=False
    ),
    "chunked in a strange case": posted(
        chunked(ATTACK), "transfer-encoding: cHuNkEd", length=False
    ),
    "space before the colon": posted(chunked(ATTACK), "transfer-encoding : chunked", length=False),
    "folded header": posted(chunked(ATTACK), "transfer-encoding:\r\n chunked", length=False),
    "unknown coding": posted(chunked(ATTACK), "transfer-encoding: xchunked", length=False),
    "bare line feeds": posted(ATTACK, CLOSE).replace(b"\r\n", b"\n"),
    "NUL in a header": posted(ATTACK, "x-note: a\x00b", CLOSE),
    "chunk size too large": posted(
        b"fffffffffffffffff\r\n" + ATTACK + b"\r\n0\r\n\r\n", BOTH, length=False
    ),
    "negative chunk size": posted(b"-5\r\n" + ATTACK + b"\r\n0\r\n\r\n", BOTH, length=False),
    "chunk extension": posted(
        b"%x;%s\r\n%s\r\n0\r\n\r\n" % (len(ATTACK), b"x=y", ATTACK), BOTH, CLOSE, length=False
    ),
    "trailer with a header": posted(
        chunked(ATTACK)[:-2] + b"authorization: Bearer x\r\n\r\n", BOTH, CLOSE, length=False
    ),
    "request behind a request": posted(ATTACK) + HIDDEN,
    "request behind a benign body of no length": request(CHAT, HIDDEN, CLOSE, length=False),
    "two hosts": posted(ATTACK, "host: elsewhere", CLOSE),
    "HTTP/1.0": request(CHAT, ATTACK, version="1.0"),
    "HTTP/0.9": b"POST /v1/completions\r\n\r\n" + PROMPT,
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + ATTACK,
    "upgrade to HTTP/2": posted(
        ATTACK, "upgrade: h2c", "connection: upgrade, http2-settings", "http2-settings: AAMAAABk"
    ),
    "upgrade to a websocket": request(
        "/v1/realtime",
        b"",
        "upgrade: websocket",
        "connection: upgrade",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version: 13",
        method="GET",
        length=False,
    ),
    "headers that do not end": b"POST /v1/completions HTTP/1.1\r\n" + b"x: y\r\n" * 50_000,
    "one endless header": b"POST /v1/completions HTTP/1.1\r\nx: " + b"y" * 1_000_000,
    "garbage": bytes(range(256)) * 8,
}


@pytest.mark.parametrize("sent", SMUGGLED.values(), ids=SMUGGLED)
def test_smuggled_requests_are_refused_or_seen(blocking: Proxy, sent: bytes) -> None:
    """The two parsers in a row agree, or the connection ends: no hidden request gets through."""
    answers = exchange(blocking, sent, patience_s=0.3)

    assert all(answer.status in (200, 400, 401, 404, 405, 413, 426, 431) for answer in answers)
    assert blocking.traces() == []
    blocking.assert_serves()


def test_every_pipelined_request_is_judged_by_itself(blocking: Proxy) -> None:
    answers = exchange(blocking, posted(BENIGN) + posted(ATTACK) + posted(BENIGN, CLOSE))

    assert [answer.status for answer in answers] == [200, 400, 200]
    assert len(blocking.sent_on()) == 2
    assert blocking.traces() == []


def test_the_request_line_may_be_long_but_ends(blocking: Proxy) -> None:
    answers = exchange(blocking, request("/v1/" + "x" * 100_000, ATTACK, CLOSE))

    assert all(answer.status in (400, 404, 414, 431) for answer in answers)
    assert_nothing_sent(blocking)
