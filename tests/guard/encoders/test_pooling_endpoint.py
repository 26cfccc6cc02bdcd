"""The endpoint's client: batches, order, keep-alive, bounds, and every way a server can fail."""

import base64
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from guard.encoders.pooling_endpoint import BATCH_PROMPTS, PoolingEndpoint
from guard.terms.errors import DetectorError
from tests.pooling import PoolingServer, pooling_server, vector_of

PROMPTS = [[at, at + 1, 7] for at in range(3 * BATCH_PROMPTS + 5)]


@pytest.fixture
def server() -> Iterator[PoolingServer]:
    with pooling_server() as running:
        yield running


@pytest.fixture
def endpoint(server: PoolingServer) -> Iterator[PoolingEndpoint]:
    with PoolingEndpoint(server.url, "demo", connections=2) as connected:
        yield connected


@pytest.mark.parametrize("floats", [False, True])
def test_vectors_come_in_order(
    server: PoolingServer, endpoint: PoolingEndpoint, floats: bool
) -> None:
    server.floats = floats
    expected = np.stack([vector_of(ids) for ids in PROMPTS])
    np.testing.assert_allclose(endpoint.vectors(PROMPTS), expected, rtol=1e-6)
    sizes = sorted(len(request["input"]) for request in server.requests)  # type: ignore[arg-type]
    assert sizes == [5, *[BATCH_PROMPTS] * 3]
    assert {request["path"] for request in server.requests} == {"/v1/embeddings"}
    assert {request["model"] for request in server.requests} == {"demo"}


def test_connections_are_kept(server: PoolingServer, endpoint: PoolingEndpoint) -> None:
    for _ in range(5):
        endpoint.vectors(PROMPTS[:1])
    assert len(set(map(str, server.peers))) == 1


def test_requests_in_flight_are_bounded_over_all_threads(server: PoolingServer) -> None:
    with (
        PoolingEndpoint(server.url, "demo", connections=2) as endpoint,
        ThreadPoolExecutor(4) as callers,
    ):
        found = list(callers.map(endpoint.vectors, [PROMPTS] * 4))
    assert all(np.array_equal(vectors, found[0]) for vectors in found)
    assert server.most_in_flight <= 2


def test_the_key_is_sent(server: PoolingServer) -> None:
    with PoolingEndpoint(f"{server.url}/", "demo", api_key="sesame") as endpoint:
        endpoint.vectors(PROMPTS[:1])
    assert server.headers[0]["authorization"] == "Bearer sesame"


def test_no_key_no_header(server: PoolingServer, endpoint: PoolingEndpoint) -> None:
    endpoint.vectors(PROMPTS[:1])
    assert "authorization" not in server.headers[0]


def encoded(*vectors: object, index: object = 0) -> bytes:
    return json.dumps({"data": [{"index": index, "embedding": v} for v in vectors]}).encode()


BASE64_NAN = base64.b64encode(np.full(3, np.nan, dtype=np.float32).tobytes()).decode()
UNUSABLE = {
    "not JSON": b"<html>",
    "no data": b"{}",
    "not an object": b"[1]",
    "null": b'{"data": null}',
    "too few": encoded([1.0]),
    "too many": encoded([1.0], [1.0], [1.0]),
    "ragged": encoded([1.0], [1.0, 2.0]),
    "numbers": encoded(1.0, 2.0),
    "tokens' vectors": encoded([[1.0], [2.0]], [[1.0], [2.0]]),
    "not base64": encoded("*", "*"),
    "torn": encoded("AAA=", "AAA="),
    "words": encoded(["a"], ["b"]),
    "not finite": encoded(BASE64_NAN, BASE64_NAN),
    "no index": encoded([1.0], [1.0], index=None),
}


@pytest.mark.parametrize("body", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_unusable_answers_are_detector_errors(
    server: PoolingServer, endpoint: PoolingEndpoint, body: bytes
) -> None:
    server.body = body
    with pytest.raises(DetectorError, match=r"^pooling endpoint: "):
        endpoint.vectors([[1], [2]])


@pytest.mark.parametrize("status", [301, 400, 401, 404, 500, 503])
def test_other_statuses_are_detector_errors_that_quote_nothing(
    server: PoolingServer, endpoint: PoolingEndpoint, status: int
) -> None:
    server.status, server.body = status, b"your prompt was: secret"
    with pytest.raises(DetectorError, match=f"^pooling endpoint: status {status}$"):
        endpoint.vectors([[1]])
    assert len(server.requests) == 1
    server.status, server.body = 200, None
    assert endpoint.vectors([[1]]).shape == (1, 8)


def test_a_late_answer_is_a_detector_error(server: PoolingServer) -> None:
    server.hold = threading.Event()
    with PoolingEndpoint(server.url, "demo", timeout=0.2) as endpoint:
        with pytest.raises(DetectorError, match=r"no answer within 0.2 s|ReadTimeoutError"):
            endpoint.vectors([[1]])
        server.hold.set()


def test_nobody_there_is_a_detector_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with (
            PoolingEndpoint(url, "demo") as endpoint,
            pytest.raises(DetectorError, match="pooling endpoint: NewConnectionError"),
        ):
            endpoint.vectors([[1]])


def test_a_connection_dropped_once_is_tried_again() -> None:
    """As when a server closes an idle connection in the moment of the next request."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answers = threading.Thread(target=_drop_then_answer, args=(listener, 1))
        answers.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with PoolingEndpoint(url, "demo") as endpoint:
            np.testing.assert_array_equal(endpoint.vectors([[1]]), [[1.0, 2.0]])
        answers.join()


def test_a_connection_dropped_twice_is_a_detector_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answers = threading.Thread(target=_drop_then_answer, args=(listener, 2))
        answers.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with (
            PoolingEndpoint(url, "demo") as endpoint,
            pytest.raises(DetectorError, match="pooling endpoint: ProtocolError"),
        ):
            endpoint.vectors([[1]])
        answers.join()


def _drop_then_answer(listener: socket.socket, drops: int) -> None:
    body = encoded([1.0, 2.0])
    for turn in range(2):
        connection, _ = listener.accept()
        with connection:
            _read_request(connection)
            if turn >= drops:
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body))
                connection.sendall(body)


def _read_request(connection: socket.socket) -> None:
    """All of it: a socket that is closed with something unread resets its answer, too."""
    with connection.makefile("rb") as stream:
        lines = list(iter(stream.readline, b"\r\n"))
        size = next(line for line in lines if line.lower().startswith(b"content-length:"))
        stream.read(int(size.partition(b":")[2]))
