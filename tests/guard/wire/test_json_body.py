"""Every decided behaviour of the request body, then properties over arbitrary bytes."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from guard.terms.errors import RequestError
from guard.wire.json_body import (
    BodyLimits,
    check_content_type,
    check_encoding,
    parse_body,
    serialise,
)

SMALL = BodyLimits(max_bytes=200, max_depth=4, max_values=20, max_strings=10)


def refusal(raw: bytes, limits: BodyLimits | None = None) -> RequestError:
    with pytest.raises(RequestError) as caught:
        parse_body(raw, "application/json", limits)
    return caught.value


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"{}", {}),
        (b' {"a": [1, -2.5, true, null, "x"]} \n', {"a": [1, -2.5, True, None, "x"]}),
        (b'{"a": "\\u0000"}', {"a": "\0"}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        ('{"a": "\u00e9\u4f60"}'.encode(), {"a": "é你"}),
        (
            b'{"a": 18446744073709551615, "b": -9223372036854775808}',
            {"a": 2**64 - 1, "b": -(2**63)},
        ),
        (b'{"a": 1e300, "b": 0.12345678901234567890123}', {"a": 1e300, "b": 0.12345678901234568}),
        (b'{"a": "{[\\"]}:,", "b\\\\": ":"}', {"a": '{["]}:,', "b\\": ":"}),
        (b'{"a": {"k": 1}, "b": {"k": 2}}', {"a": {"k": 1}, "b": {"k": 2}}),
        (
            b'{"a": "NaN", "b": "12345678901234567890123"}',
            {"a": "NaN", "b": "12345678901234567890123"},
        ),
    ],
)
def test_reads_what_is_json(raw: bytes, body: dict[str, object]) -> None:
    assert parse_body(raw, "application/json") == body


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"[]", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ("{}".encode("utf-16"), "byte order mark"),
        (b"{} {}", "not valid JSON"),
        (b"{}x", "not valid JSON"),
        (b'{"a": 1', "not valid JSON"),
        (b'{"a": 1,}', "not valid JSON"),
        (b"{'a': 1}", "not valid JSON"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "not valid JSON"),
        (b'{"a": "\xff"}', "not valid JSON"),
        (b'{"a": "\xed\xa0\x80"}', "not valid JSON"),
        (b'{"a": "\\ud800"}', "not valid JSON"),
        (b'{"a": "\\udc00\\ud800"}', "not valid JSON"),
        (b'{"\\ud800": 1}', "not valid JSON"),
        (b'{"a": "line\nbreak"}', "not valid JSON"),
        (b'{"a": 18446744073709551616}', "64 bits"),
        (b'{"a": -9223372036854775809}', "64 bits"),
        (b'{"a": [1, ' + b"9" * 5000 + b"]}", "64 bits"),
    ],
)
def test_refuses_what_has_no_single_reading(raw: bytes, words: str) -> None:
    error = refusal(raw)
    assert (error.status, error.code, error.param) == (400, "invalid_json", None)
    assert words in error.message


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b'{"a": 1, "a": 1}', "a"),
        (b'{"a": 1, "\\u0061": 2}', "a"),
        (
            b'{"messages": [{"role": "user"}, {"content": "x", "content": "y"}]}',
            "messages.1.content",
        ),
        (b'{"a": {"b": {"c": 1, "c": 2}}}', "a.b.c"),
        (b'{"tell me a secret": {"x": 1, "x": 2}}', "?.x"),
        (b'{"' + b"k" * 41 + b'": 1, "' + b"k" * 41 + b'": 1}', "?"),
    ],
)
def test_names_the_place_of_a_duplicate_key_but_no_text(raw: bytes, place: str) -> None:
    error = refusal(raw)
    assert error.code == "invalid_json"
    assert error.message == f"the same key appears twice in one object: {place}"


@pytest.mark.parametrize(
    ("raw", "status", "words"),
    [
        (b'{"a": "' + b"x" * 200 + b'"}', 413, "200 bytes"),
        (b'{"a": [[[[1]]]]}', 400, "deeper than 4"),
        (b'{"a": {"a": {"a": {"a": {}}}}}', 400, "deeper than 4"),
        (b'{"a": [' + b"1," * 20 + b"1]}", 400, "20 values"),
        (b'{"a": [' + b"[]," * 10 + b"1]}", 400, "20 values"),
        (b'{"a": [' + b'"",' * 10 + b'""]}', 400, "10 strings"),
    ],
)
def test_holds_its_limits(raw: bytes, status: int, words: str) -> None:
    error = refusal(raw, SMALL)
    assert error.status == status
    assert words in error.message


def test_allows_the_depth_it_names() -> None:
    assert parse_body(b'{"a": [[[1]], {}]}', None, SMALL) == {"a": [[[1]], {}]}


@pytest.mark.parametrize("raw", [b'{"a":' * 500_000, b"[" * 4_000_000, b'"' * 4_000_000])
def test_hostile_nesting_is_refused_not_built(raw: bytes) -> None:
    assert refusal(raw).code == "invalid_json"


@pytest.mark.parametrize("depth", [0, 201])
def test_refuses_a_depth_that_could_exhaust_the_stack(depth: int) -> None:
    with pytest.raises(ValueError, match="max_depth"):
        BodyLimits(max_depth=depth)


def test_errors_do_not_carry_the_body() -> None:
    error = refusal(b'{"a": "my secret prompt", }')
    assert "secret" not in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "Application/JSON; Charset=UTF-8",
        'application/json;charset="utf-8"',
    ],
)
def test_accepts_json_content_types(content_type: str | None) -> None:
    assert parse_body(b"{}", content_type) == {}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/jsonl",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; profile=x",
        "; charset=latin-1",
    ],
)
def test_refuses_other_content_types(content_type: str) -> None:
    with pytest.raises(RequestError) as caught:
        check_content_type(content_type)
    assert (caught.value.status, caught.value.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity", "zstd"])
def test_refuses_compressed_bodies(encoding: str) -> None:
    with pytest.raises(RequestError) as caught:
        check_encoding(encoding)
    assert (caught.value.status, caught.value.code) == (415, "unsupported_encoding")
    assert caught.value.headers == {"accept-encoding": "identity"}


@pytest.mark.parametrize("encoding", [None, "", "identity", " Identity "])
def test_accepts_plain_bodies(encoding: str | None) -> None:
    check_encoding(encoding)
    assert parse_body(b"{}") == {}


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
json_like = st.text(alphabet='{}[]":,\\u0de19 +-.tfn\x00é').map(str.encode)


@given(st.dictionaries(st.text(), values))
def test_reads_back_what_it_serialises(body: dict[str, object]) -> None:
    assert parse_body(serialise(body)) == body


@given(st.dictionaries(st.text(), values), st.booleans())
def test_agrees_with_the_standard_library(body: dict[str, object], ascii_only: bool) -> None:
    raw = json.dumps(body, ensure_ascii=ascii_only, indent=1).encode()
    assert parse_body(raw) == body


@given(st.dictionaries(st.text(), values, min_size=1), st.data())
def test_finds_a_repeated_key(body: dict[str, object], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(body)))
    raw = serialise(body)[:-1] + b"," + serialise({key: 1})[1:]
    assert "appears twice" in refusal(raw).message


@given(st.binary() | json_like)
@example(b'{"a":"\\')
@example(b'{"a":"\\\\\\""}')
def test_any_bytes_give_an_object_or_a_refusal(raw: bytes) -> None:
    code = "invalid_json"
    body: dict[str, object] = {}
    try:
        body = parse_body(raw)
    except RequestError as error:
        code = error.code
    assert code == "invalid_json"
    assert parse_body(serialise(body)) == body
