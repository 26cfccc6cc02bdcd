"""Comparing answers: what is fresh is left out, what is said is not."""

import json

from tests.e2e.replay.answers import differences, read


def whole(body: dict[str, object], status: int = 200) -> dict[str, tuple[object, object]]:
    one = read(200, "/v1/messages", json.dumps({"id": "a", "content": ["x"]}), stream=False)
    return differences(one, read(status, "/v1/messages", json.dumps(body), stream=False))


def test_ids_are_fresh_and_words_are_not() -> None:
    assert whole({"id": "b", "content": ["x"]}) == {}
    assert whole({"id": "b", "content": ["y"]}) == {"content[]": ("x", "y")}
    assert whole({"content": ["x"]}) == {"id": ("(fresh)", None)}


def test_what_is_missing_or_added_differs() -> None:
    assert whole({"id": "b", "content": ["x", "y"]}) == {"content[]": (None, "y")}
    assert whole({"id": "b", "content": ["x"], "a": {"b": []}}) == {"a.b": (None, [])}
    assert whole({}, status=400) == {"status": (200, 400)}


def events(*bodies: dict[str, object]) -> dict[str, object]:
    text = "".join(f"event: x\ndata: {json.dumps(body)}\n\n" for body in bodies)
    return read(200, "/v1/messages", text, stream=True).said


def test_how_a_stream_is_cut_does_not_matter() -> None:
    def delta(text: str, index: int = 0) -> dict[str, object]:
        inner = {"type": "text_delta", "text": text}
        return {"type": "content_block_delta", "index": index, "delta": inner}

    assert events(delta("a"), delta("b")) == events(delta("ab"))
    assert events(delta("a"), delta("b")) != events(delta("a"), delta("b", 1))
    assert events(delta("a"), {"type": "message_stop"}) != events(delta("a"))
