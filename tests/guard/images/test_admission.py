"""Calls with pictures: where they come to stand among the texts, and what goes upstream."""

from collections.abc import AsyncIterator

import pytest

from guard.images.admission import Admission
from guard.settings import Images
from guard.terms.errors import RequestError, ScreeningError
from guard.terms.item import Call
from guard.wire import chat
from guard.wire.fields import FieldRules
from tests.guard.images.pictures import SIZE, animated, plain, url

RULES = FieldRules(pictures=True)
LIMITS = Images(enabled=True, count=2, bytes=2000, pixels=1000, read_text=False)


def part(data: bytes = plain()) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": url(data)}}


def text(said: str) -> dict[str, object]:
    return {"type": "text", "text": said}


def call_of(*messages: dict[str, object], quoted: frozenset[int] = frozenset()) -> Call:
    return chat.parse({"model": "m", "messages": list(messages)}, RULES, None, quoted)


def user(*parts: object) -> dict[str, object]:
    return {"role": "user", "content": list(parts)}


@pytest.fixture
async def admission() -> AsyncIterator[Admission]:
    made = Admission(LIMITS)
    yield made
    await made.close()


async def test_pictures_are_items_between_the_texts_around_them(admission: Admission) -> None:
    call = await admission.admit(
        call_of(
            {"role": "system", "content": "a"},
            user(text("b"), part(), text("c")),
            {**user(part()), "name": "d"},
            {"role": "user", "content": "e"},
        ),
        "",
    )
    shown = [item.text or item.param for item in call.items]
    assert shown == ["a", "b", "messages.1.content.1", "c", "messages.2.content.0", "d", "e"]


async def test_what_goes_upstream_is_what_was_decoded(admission: Admission) -> None:
    call = await admission.admit(call_of(user(part(plain() + b"<script>"))), "")
    picture = call.items[0].picture
    assert picture is not None
    assert (picture.width, picture.height) == SIZE
    sent = call.body["messages"][0]["content"][0]["image_url"]["url"]  # type: ignore[index]
    assert sent == url(picture.data)
    assert b"<script>" not in picture.data


async def test_a_picture_has_the_author_of_its_message(admission: Admission) -> None:
    tool: dict[str, object] = {"role": "tool", "tool_call_id": "t", "content": [part()]}
    call = await admission.admit(call_of(user(part()), tool), "")
    assert [item.author for item in call.items if item.picture] == ["user", "third_party"]
    call = await admission.admit(call_of(user(part()), quoted=frozenset({0})), "")
    assert [item.author for item in call.items] == ["third_party"]


FAULTS = {
    "count": ([user(part(), part(), part())], "messages.0.content.2", "image_too_large"),
    "bytes": ([user(text("a"), part(bytes(2001)))], "messages.0.content.1", "image_too_large"),
    "pixels": ([user(part(plain(size=(40, 40))))], "messages.0.content.0", "image_too_large"),
    "frames": ([user(part(animated(2)))], "messages.0.content.0", "image_too_large"),
    "format": ([user(part(b"<svg/>"))], "messages.0.content.0", "image_invalid"),
    "broken": ([user(part(plain()[:-40]))], "messages.0.content.0", "image_invalid"),
}


@pytest.mark.parametrize("what", FAULTS)
async def test_what_is_not_taken_is_named(admission: Admission, what: str) -> None:
    messages, param, code = FAULTS[what]
    with pytest.raises(RequestError) as caught:
        await admission.admit(call_of(*messages), "")
    assert (caught.value.param, caught.value.code) == (param, code)


@pytest.mark.parametrize(
    "sent",
    [
        "data:image/png;base64,%%%",
        "data:image/png,abcd",
        "data:",
        "data:image/png;base64,",
        "data:,",
    ],
)
async def test_urls_without_base64_are_not_taken(admission: Admission, sent: str) -> None:
    asked = {"type": "image_url", "image_url": {"url": sent}}
    with pytest.raises(RequestError) as caught:
        await admission.admit(call_of(user(asked)), "")
    assert caught.value.code == "image_invalid"


async def test_a_picture_that_was_decoded_is_remembered(admission: Admission) -> None:
    first = await admission.admit(call_of(user(part())), "a")
    again = await admission.admit(call_of(user(part())), "a")
    assert again.items[0].picture is first.items[0].picture


async def test_no_time_is_an_error_and_no_verdict() -> None:
    admission = Admission(LIMITS.model_copy(update={"timeout_s": 1e-6}))
    with pytest.raises(ScreeningError) as caught:
        await admission.admit(call_of(user(part())), "")
    assert caught.value.code == "screening_timeout"
    await admission.close()


async def test_where_pictures_are_off_nothing_is_looked_at() -> None:
    call = call_of(user(part(b"whatever")))
    admission = Admission(Images())
    assert await admission.admit(call, "") is call
