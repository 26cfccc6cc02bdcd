"""The transcript: whole texts for those who judge later."""

from guard.answers.transcript import Transcript


def test_pieces_are_joined_by_choice_and_place() -> None:
    heard = Transcript()
    heard.hear([{"index": 0, "delta": {"content": "a"}}, {"index": 1, "delta": {"content": "x"}}])
    heard.hear([{"index": 0, "delta": {"content": "b", "reasoning": "r"}}])
    heard.hear([])
    heard.hear(None)

    said = {item.param: item.text for item in heard.items}
    assert said == {
        "choices.0.content": "ab",
        "choices.1.content": "x",
        "choices.0.reasoning": "r",
    }
