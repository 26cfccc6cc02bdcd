"""Request headers: what is read of them, and what goes upstream."""

import pytest

from guard.server.headers import chosen_request_id, latin_headers, onward_headers

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_names_are_lower_case_and_repeated_headers_joined() -> None:
    scope = {"headers": [(b"X-A", b"1"), (b"x-a", b"2"), (b"y", "ü".encode("latin-1"))]}

    assert latin_headers(scope) == {"x-a": "1,2", "y": "ü"}


@pytest.mark.parametrize(
    ("headers", "chosen"),
    [
        ({"x-request-id": "a.b-c_1:2"}, "a.b-c_1:2"),
        ({"x-correlation-id": "b"}, "b"),
        ({"request-id": "b", "x-request-id": "a"}, "a"),
        ({"x-request-id": "has space", "x-trace-id": "t"}, "t"),
    ],
)
def test_plain_request_ids_are_kept(headers: dict[str, str], chosen: str) -> None:
    assert chosen_request_id(headers) == chosen


@pytest.mark.parametrize("hostile", ["", "a b", "x" * 129, "a\r\nb: c", "ü"])
def test_other_request_ids_are_replaced(hostile: str) -> None:
    chosen = chosen_request_id({"x-request-id": hostile})

    assert chosen != hostile
    assert len(chosen) == 32


@pytest.mark.parametrize(
    ("headers", "onward"),
    [
        ({}, {"x-request-id": "i"}),
        ({"traceparent": TRACE}, {"x-request-id": "i", "traceparent": TRACE}),
        ({"traceparent": "nonsense"}, {"x-request-id": "i"}),
        ({"authorization": "Bearer x", "cookie": "a", "x-user": "b"}, {"x-request-id": "i"}),
    ],
)
def test_only_id_and_trace_go_upstream(headers: dict[str, str], onward: dict[str, str]) -> None:
    assert onward_headers(headers, "i") == onward
