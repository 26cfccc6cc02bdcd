"""Pictures through the proxy, in every protocol that takes them."""

from typing import Any

import httpx2
import pytest

from tests.fakes import WordDetector
from tests.guard.conftest import CHAT, Rig, RigMaker
from tests.guard.images.pictures import plain, url, written

IMAGES: dict[str, Any] = {"enabled": True, "count": 2, "read_text": False}
PATIENCE_S = 120  # as long as a busy machine takes
READ: dict[str, Any] = {"enabled": True, "timeout_s": PATIENCE_S}
PICTURE = url(plain() + b"<script>")
BROKEN = url(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
ELSEWHERE = "https://pictures.example/a.png"
ASKED = "what is this?"


def chat(picture: str) -> tuple[str, dict[str, Any]]:
    parts = [{"type": "text", "text": ASKED}, {"type": "image_url", "image_url": {"url": picture}}]
    return CHAT, {"messages": [{"role": "user", "content": parts}]}


def responses(picture: str) -> tuple[str, dict[str, Any]]:
    parts = [{"type": "input_text", "text": ASKED}, {"type": "input_image", "image_url": picture}]
    return "/v1/responses", {"input": [{"role": "user", "content": parts}]}


def messages(picture: str) -> tuple[str, dict[str, Any]]:
    head, comma, data = picture.partition(",")
    media_type = head.removeprefix("data:").removesuffix(";base64")
    source = {"type": "base64", "media_type": media_type, "data": data}
    if not comma:
        source = {"type": "url", "url": picture}
    parts = [{"type": "text", "text": ASKED}, {"type": "image", "source": source}]
    return "/v1/messages", {"max_tokens": 5, "messages": [{"role": "user", "content": parts}]}


PROTOCOLS = {"chat": chat, "responses": responses, "messages": messages}


async def post(rig: Rig, protocol: str, picture: str) -> httpx2.Response:
    path, body = PROTOCOLS[protocol](picture)
    return await rig.client.post(path, json={"model": "demo", **body}, timeout=PATIENCE_S)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_the_model_is_sent_what_was_decoded(make_rig: RigMaker, protocol: str) -> None:
    async with make_rig(("block", WordDetector("attack")), images=IMAGES) as rig:
        response = await post(rig, protocol, PICTURE)

    assert response.status_code == 200, response.text
    text, picture = rig.vllm.requests[0]["messages"][0]["content"]
    assert text == {"type": "text", "text": ASKED}
    assert picture["image_url"]["url"].startswith("data:image/png;base64,")
    assert picture["image_url"]["url"] != PICTURE


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("media", ["refuse", "allow_unscreened"])
@pytest.mark.parametrize(
    ("picture", "code"), [(BROKEN, "Picture 1"), (ELSEWHERE, "data URLs only")]
)
async def test_what_is_no_picture_never_reaches_the_model(
    make_rig: RigMaker, protocol: str, media: str, picture: str, code: str
) -> None:
    async with make_rig(images=IMAGES, fields={"media": media}) as rig:
        response = await post(rig, protocol, picture)

    assert response.status_code == 400
    assert code in response.json()["error"]["message"]
    assert rig.vllm.requests == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_without_the_switch_pictures_are_refused(make_rig: RigMaker, protocol: str) -> None:
    async with make_rig() as rig:
        response = await post(rig, protocol, PICTURE)

    assert response.status_code == 400
    assert "images.enabled" in response.json()["error"]["message"]
    assert rig.vllm.requests == []


async def test_pictures_that_are_decoded_do_not_count_as_unscreened(make_rig: RigMaker) -> None:
    async with make_rig(images=IMAGES, fields={"media": "allow_unscreened"}) as rig:
        await post(rig, "chat", PICTURE)
        shown = (await rig.client.get("/metrics")).text

    assert 'ecoguard_bypassed_requests_total{reason="media"} 0.0' in shown


async def test_tokens_are_counted_of_what_was_decoded(make_rig: RigMaker) -> None:
    async with make_rig(images=IMAGES) as rig:
        await rig.client.post("/tokenize", json={"model": "demo", **chat(PICTURE)[1]})
        refused = await rig.client.post("/tokenize", json={"model": "demo", **chat(BROKEN)[1]})

    sent = rig.vllm.requests[0]["messages"][0]["content"][1]["image_url"]["url"]
    assert sent != PICTURE
    assert refused.status_code == 400
    assert len(rig.vllm.requests) == 1


async def test_a_tools_picture_is_taken_too(make_rig: RigMaker) -> None:
    block = messages(PICTURE)[1]["messages"][0]["content"][1]
    result = {"type": "tool_result", "tool_use_id": "t", "content": [block]}
    use = {"type": "tool_use", "id": "t", "name": "look", "input": {}}
    turns = [
        {"role": "user", "content": "look"},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [result]},
    ]
    async with make_rig(images=IMAGES) as rig:
        body = {"model": "demo", "max_tokens": 5, "messages": turns}
        response = await rig.client.post("/v1/messages", json=body)

    assert response.status_code == 200, response.text
    assert "data:image/png" in str(rig.vllm.requests[0]["messages"][-1])
    assert PICTURE not in str(rig.vllm.requests[0])


async def test_what_is_written_in_a_picture_is_judged(make_rig: RigMaker) -> None:
    """Read once, and known when the chat sends it again."""
    async with make_rig(("block", WordDetector("attack")), images=READ) as rig:
        refused = [await post(rig, each, url(written("a real attack"))) for each in PROTOCOLS]
        passed = [await post(rig, each, url(written("a real afternoon"))) for each in PROTOCOLS]

    assert [each.status_code for each in refused] == [400] * len(PROTOCOLS)
    assert [each.status_code for each in passed] == [200] * len(PROTOCOLS)
    assert len(rig.vllm.requests) == len(PROTOCOLS)


async def test_a_text_cut_over_message_and_picture_is_one(make_rig: RigMaker) -> None:
    async with make_rig(("block", WordDetector("attack")), images=READ) as rig:
        body = chat(url(written("ack now")))[1]
        body["messages"][0]["content"][0]["text"] = "please att"
        asked = {"model": "demo", **body}
        response = await rig.client.post(CHAT, json=asked, timeout=PATIENCE_S)

    assert response.status_code == 400
    assert rig.vllm.requests == []


@pytest.mark.parametrize("how", ["drop", "blank"])
async def test_a_request_goes_on_without_a_picture_whose_text_is_blocked(
    make_rig: RigMaker, how: str
) -> None:
    rules = ("block", WordDetector("attack"))
    async with make_rig(rules, images=READ, policy_options={"pictures": how}) as rig:
        response = await post(rig, "chat", url(written("a real attack")))

    assert response.status_code == 200
    text, picture = rig.vllm.requests[0]["messages"][0]["content"]
    assert text["text"] == ASKED
    if how == "drop":
        assert picture == {"type": "text", "text": "(A picture was removed.)"}
    else:
        assert picture["type"] == "image_url"
        assert picture["image_url"]["url"] != url(written("a real attack"))


async def test_what_the_message_says_itself_is_refused_all_the_same(make_rig: RigMaker) -> None:
    rules = ("block", WordDetector("attack"))
    async with make_rig(rules, images=READ, policy_options={"pictures": "drop"}) as rig:
        body = chat(url(written("a real attack")))[1]
        body["messages"][0]["content"][0]["text"] = "my attack"
        asked = {"model": "demo", **body}
        response = await rig.client.post(CHAT, json=asked, timeout=PATIENCE_S)

    assert response.status_code == 400
    assert rig.vllm.requests == []
