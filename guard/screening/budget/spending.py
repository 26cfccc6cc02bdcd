"""A request's budget: how many tokens each detector may read of it, counted before any is read."""

from collections.abc import Callable, Iterator, Sequence

from guard.screening.budget.priorities import Priorities
from guard.screening.prices.opaque_runs import abridged_in_steps
from guard.screening.prices.token_estimate import tokens_in
from guard.screening.workers.turn import Turn
from guard.terms.detector import Detector
from guard.terms.errors import OverBudgetError

Cut = Callable[[str], tuple[str, ...]]
OPAQUE_CHARACTERS = 16
"""So many characters that are not read count as a token: it takes time to see what they hold."""
Chosen = dict[str, tuple[str, ...]]
"""The pieces to read of each text."""


class Account:
    """What one detector is given to read of one request, in tokens, of `most` (0: any number).

    `partly` are the texts of which it reads a part or nothing, `unread` the tokens of the rest.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.given = 0
        self.read = 0
        self.unread = 0
        self.partly: set[str] = set()
        self._chosen: Chosen = {}

    def choose(
        self, texts: Sequence[str], cut: Cut, turn: Turn, first: Priorities | None
    ) -> Chosen:
        """The pieces of texts that nobody has read yet.

        Raises OverBudgetError where those of all are too many; or, told which go `first`,
        leaves the rest unread. Asked again for a text it answers the same.
        """
        order = texts if first is None else sorted(texts, key=first.rank)
        for text in order:
            if text not in self._chosen:
                turn.pause()
                choose = self._whole if first is None else self._part
                self._chosen[text] = choose(text, cut, turn)
        return {text: self._chosen[text] for text in texts}

    def pieces(self, text: str, cut: Cut) -> tuple[str, ...]:
        """What is read of a text: all of one that was read for an earlier request."""
        return self._chosen[text] if text in self._chosen else cut(text)

    def _whole(self, text: str, cut: Cut, turn: Turn) -> tuple[str, ...]:
        if not self.most:
            return cut(text)
        # Before any work is done for a text its own length is looked at: disguises come on top.
        least = _least(text, self.most - self.given, turn)
        self._expect(least)
        pieces = cut(text)
        price = max(least, sum(map(tokens_in, pieces)))
        self._expect(price)
        self.given += price
        return pieces

    def _expect(self, tokens: int) -> None:
        if self.given + tokens > self.most:
            raise OverBudgetError(self.given + tokens, self.most)

    def _part(self, text: str, cut: Cut, turn: Turn) -> tuple[str, ...]:
        """As many pieces as there is room for, from both ends of the text."""
        if not self.most:
            return cut(text)
        size, left = _least(text, None, turn), self.most - self.given
        shown = text if size <= left else _ends(text, len(text) * left // size)
        kept = []
        read = 0
        for piece in _from_both_ends(cut(shown)) if shown else ():
            price = tokens_in(piece)
            if self.given + price > self.most:
                self.partly.add(text)
                break
            kept.append(piece)
            self.given += price
            read += price
        if shown is not text:
            self.partly.add(text)
        if text in self.partly:
            self.unread += max(1, size - read)
        return tuple(kept)


class Spending:
    """The accounts of all detectors with one request; each may read `most` tokens (0: any number).

    What is read is counted batch by batch, so it is right for work that was given up, too.
    """

    def __init__(self, most: int = 0) -> None:
        self.most = most
        self._accounts: dict[int, Account] = {}  # by the detector's identity

    def account(self, detector: Detector) -> Account:
        """A detector's; whoever reads as fast as texts are cut may read anything."""
        if id(detector) not in self._accounts:
            most = self.most if detector.is_priced else 0
            self._accounts[id(detector)] = Account(most)
        return self._accounts[id(detector)]

    def note(self, detector: Detector, parts: Sequence[str]) -> None:
        """A detector has read these texts."""
        if detector.is_priced:
            self.account(detector).read += sum(map(tokens_in, parts))

    @property
    def read(self) -> int:
        """Tokens that were read, by all detectors."""
        return sum(account.read for account in tuple(self._accounts.values()))


def _least(text: str, most: int | None, turn: Turn) -> int:
    """Tokens of a text that are read at least; counted no further once they are over `most`."""
    found = 0
    for step, shown in abridged_in_steps(text):
        turn.pause()
        found += tokens_in(shown) + (len(step) - len(shown)) // OPAQUE_CHARACTERS
        if most is not None and found > most:
            break
    return found


def _ends(text: str, characters: int) -> str:
    """So many characters, half of them from either end."""
    half = characters // 2
    return f"{text[:half]}\n{text[-half:]}" if half else ""


def _from_both_ends(pieces: Sequence[str]) -> Iterator[str]:
    for index in range((len(pieces) + 1) // 2):
        yield pieces[index]
        if index < len(pieces) - 1 - index:
            yield pieces[-1 - index]
