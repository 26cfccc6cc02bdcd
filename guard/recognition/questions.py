"""Questions whose answers were replaced: for the rest of the conversation they are corrupted at
once, so that asking again leads to the same answer and not to the leak."""

from collections.abc import Collection, Iterable

from guard.recognition.digests import Digester
from guard.recognition.recent import RecentDigests
from guard.terms.item import Call


class KnownQuestions:
    """Remembers texts of questions by API key; used inside one event loop."""

    def __init__(self, digester: Digester, recent: RecentDigests) -> None:
        self._digester = digester
        self._recent = recent

    def keep(self, owner: str, call: Call, items: Iterable[int]) -> None:
        """Remember items of a call that led to what must not be told."""
        self._recent.add([self._digest(owner, call.items[index].text) for index in items])

    def known(self, owner: str, call: Call) -> Collection[int]:
        """The items of a call that are remembered, by index, ascending."""
        if not len(self._recent):
            return ()
        digests = {
            index: self._digest(owner, item.text)
            for index, item in enumerate(call.items)
            if item.corruptible and item.text
        }
        seen = self._recent.find(list(digests.values()))
        return tuple(index for index, digest in digests.items() if digest in seen)

    def _digest(self, owner: str, text: str) -> bytes:
        return self._digester.digest((owner, text))
