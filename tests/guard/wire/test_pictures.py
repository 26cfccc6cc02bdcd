import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.terms.errors import RequestError
from guard.wire.fields import FieldRules
from guard.wire.pictures import base64_bytes, data_url, pictures_of, read_image_url

PICTURE = "data:image/png;base64,AAAA"


def test_a_lone_url_is_an_object_with_one() -> None:
    assert read_image_url(PICTURE, "x", FieldRules()) == {"url": PICTURE}
    whole = {"url": PICTURE, "detail": "low"}
    assert read_image_url({**whole, "other": 1}, "x", FieldRules()) == whole


@pytest.mark.parametrize(
    ("value", "param", "code"),
    [
        (None, "x", "invalid_request"),
        ({}, "x.url", "invalid_request"),
        ({"url": PICTURE, "detail": "all"}, "x.detail", "invalid_request"),
        ("https://a.example/b.png", "x.url", "image_url_refused"),
        ("file:///etc/passwd", "x.url", "image_url_refused"),
        (" data:image/png;base64,AAAA", "x.url", "image_url_refused"),
        ("", "x.url", "image_url_refused"),
    ],
)
def test_what_is_no_data_is_refused_by_name(value: object, param: str, code: str) -> None:
    with pytest.raises(RequestError) as caught:
        read_image_url(value, "x", FieldRules())
    assert (caught.value.param, caught.value.code) == (param, code)


@given(st.binary(min_size=1))
def test_bytes_go_into_a_url_and_come_out(data: bytes) -> None:
    assert base64_bytes(data_url("image/png", data)) == data


@given(st.text())
def test_no_url_raises(text: str) -> None:
    found = base64_bytes("data:" + text)
    assert found is None or found


def test_pictures_are_numbered_in_reading_order() -> None:
    picture = {"type": "image_url", "image_url": {"url": PICTURE}}
    body: dict[str, object] = {
        "messages": [
            {"role": "system", "content": "a"},
            {"role": "user", "content": [picture, {"type": "text", "text": "b"}, picture]},
            {"role": "assistant"},
        ]
    }
    assert [(each.number, each.param) for each in pictures_of(body)] == [
        (1, "messages.1.content.0"),
        (2, "messages.1.content.2"),
    ]
    assert pictures_of({"prompt": "a"}) == ()
