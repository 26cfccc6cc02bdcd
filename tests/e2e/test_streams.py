"""Folding streams: how tokens are spread over events must not matter."""

from tests.e2e.streams import folded
from tests.fakes import DONE, chat_chunk


def test_spread_of_tokens_does_not_matter() -> None:
    two = (chat_chunk("Hel") + chat_chunk("lo") + chat_chunk("", "stop") + DONE).decode()
    one = (chat_chunk("Hello") + chat_chunk("", "stop") + DONE).decode()

    assert folded(two) == folded(one)
    assert folded(one)["choices"][0]["delta"] == {"content": "Hello"}
    assert folded(one)["choices"][0]["finish_reason"] == "stop"


def test_torso_differs() -> None:
    whole, torso = (chat_chunk("Hello") + DONE).decode(), chat_chunk("Hello").decode()

    assert folded(whole) != folded(torso)
