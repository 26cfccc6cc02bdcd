"""Every vector against a proxy that blocks, one that corrupts, and the check endpoint."""

import pytest

from tests.e2e.bypass.answers import assert_filtered, assert_refused, error_of
from tests.e2e.bypass.rig import Proxy
from tests.e2e.bypass.vectors import ALL
from tests.e2e.bypass.vectors.vector import CHECK, EMBEDDINGS, Outcome, Vector

pytestmark = pytest.mark.vllm

JSON_VECTORS = [vector for vector in ALL if isinstance(vector.body, dict)]


@pytest.mark.parametrize("vector", ALL, ids=str)
def test_blocked(blocking: Proxy, vector: Vector) -> None:
    answer = blocking.post(vector.route, vector.body, vector.headers)

    match vector.outcome:
        case Outcome.FILTERED:
            assert_filtered(answer, vector.route)
        case Outcome.REFUSED:
            assert_refused(answer, vector.route, vector.status, vector.param)
        case _:
            assert answer.status_code == 200, answer.text
    if vector.outcome is Outcome.UNREAD:
        assert blocking.traces(vector.marks) == []
    else:
        assert blocking.sent_on() == []
    blocking.assert_serves()


@pytest.mark.parametrize("vector", ALL, ids=str)
def test_corrupted(corrupting: Proxy, vector: Vector) -> None:
    answer = corrupting.post(vector.route, vector.body, vector.headers)

    assert corrupting.traces(vector.marks) == []
    if vector.outcome is Outcome.REFUSED:
        assert_refused(answer, vector.route, vector.status, vector.param)
    elif answer.status_code != 200:
        error_of(answer, vector.route)
        assert answer.status_code in (400, 404), answer.text  # where nothing pools
    elif vector.outcome is Outcome.FILTERED:
        assert len(corrupting.sent_on()) == 1, "as embeddings, or without the setting"
    if corrupting.recorder.requests:  # what stays in the proxy is the other test's
        corrupting.assert_serves()


@pytest.mark.parametrize("vector", JSON_VECTORS, ids=str)
def test_checked(blocking: Proxy, vector: Vector) -> None:
    """The check endpoint decides as the route itself does, and calls no model."""
    answer = blocking.post(CHECK, {"route": vector.route, "request": vector.body})

    if vector.outcome is Outcome.REFUSED:
        error_of(answer, CHECK)
        assert answer.status_code == vector.status, answer.text
    else:
        assert answer.status_code == 200, answer.text
        blocked = vector.outcome is Outcome.FILTERED
        assert answer.json()["action"] == ("block" if blocked else "allow")
    assert blocking.recorder.requests == []


def test_there_are_many_vectors_and_each_has_a_name_of_its_own() -> None:
    names = [str(vector) for vector in ALL]
    assert len(names) > 500
    assert len(set(names)) == len(names)


def test_the_embedding_route_is_served_where_the_model_server_pools(blocking: Proxy) -> None:
    """This server generates, so a benign text gets the server's own refusal, and only that."""
    answer = blocking.post(EMBEDDINGS, {"model": "demo", "input": "Hello."})

    assert error_of(answer, EMBEDDINGS)
    assert [request.path for request in blocking.sent_on()] == [EMBEDDINGS]
