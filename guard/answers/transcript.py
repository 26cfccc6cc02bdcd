"""What a whole answer said, for policies in shadow: they judge once it is over."""

from guard.answers.texts import Channel, answer_item, readable, said
from guard.terms.item import Item
from guard.terms.json import JsonObject


class Transcript:
    """The texts of all choices, each in its pieces."""

    def __init__(self) -> None:
        self._texts: dict[tuple[int, Channel], list[str]] = {}

    def hear(self, choices: object) -> None:
        """Take down the choices of a whole answer or of an event."""
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                self._hear(choice)

    def _hear(self, choice: JsonObject) -> None:
        index = choice.get("index")
        number = index if isinstance(index, int) else 0
        for channel, piece in said(choice):
            self._texts.setdefault((number, channel), []).append(piece)

    def clear(self) -> None:
        """Forget what was said: it goes to nobody."""
        self._texts.clear()

    @property
    def items(self) -> list[Item]:
        """The texts as detectors judge them."""
        whole = ((place, readable("".join(pieces))) for place, pieces in self._texts.items())
        return [answer_item(index, channel, text) for (index, channel), text in whole]
