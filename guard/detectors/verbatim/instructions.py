"""Answers that give away the instructions of their own request."""

from collections import OrderedDict
from hashlib import sha256

from guard.detectors.context import Context
from guard.detectors.verbatim.grams import gram_hashes
from guard.detectors.verbatim.index import QuoteDetector
from guard.detectors.verbatim.membership import Listed
from guard.detectors.verbatim.quotes import Quotes
from guard.settings import InstructionsDetector
from guard.terms.detector import Detector
from guard.terms.item import Call, Side

MOST_KEPT = 256
"""Instructions whose hashes are kept: an application says the same ones with every request."""
WRITERS = frozenset({"developer", "operator"})


class InstructionQuotes(QuoteDetector):
    """Makes the detector of each answer: its index is what the developer wrote in the request."""

    sides: frozenset[Side] = frozenset({"answer"})

    def __init__(self, words: int) -> None:
        super().__init__(Quotes(Listed(gram_hashes(""))), words)
        self._limit = words
        self._kept: OrderedDict[bytes, QuoteDetector] = OrderedDict()

    def about(self, call: Call) -> Detector:
        """What judges the answer to `call`."""
        said = "\n".join(item.text for item in call.items if item.author in WRITERS)
        place = sha256(said.encode("utf-8", "surrogatepass")).digest()
        found = self._kept.pop(place, None)
        if found is None:
            found = QuoteDetector(Quotes(Listed(gram_hashes(said))), self._limit)
        self._kept[place] = found
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return found


def load(source: InstructionsDetector, context: Context) -> InstructionQuotes:  # noqa: ARG001
    """The detector of a section of kind `instructions`."""
    return InstructionQuotes(source.words)
