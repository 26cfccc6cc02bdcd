"""What a request may find in the cache of scores: entries of its own API key, by text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from guard.screening.score_cache import ScoreCache
from guard.terms.item import Author, Item

TEXT = "text"
PART = "part"
PICTURE = "picture"
TURN = "turn"
NAMED = "named"
REQUEST = "request"
SHARED = frozenset({TEXT, PICTURE})
"""What other processes are asked for: a text's score spares the reading of all its parts."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The cache as one API key sees it; a detector without a version is never remembered."""

    cache: ScoreCache
    owner: str

    def numbers(self, kind: str, version: str, texts: Sequence[str]) -> dict[str, float]:
        """What is known of these texts: the score of each, or its number as a part of others."""
        if not version or not texts:
            return {}
        places = [self._place(kind, version, text) for text in texts]
        known = self.cache.find(places, kind, elsewhere=kind in SHARED)
        found = zip(texts, known, strict=True)
        return {text: numbers[0] for text, numbers in found if numbers is not None}

    def keep(self, kind: str, version: str, numbers: Mapping[str, float]) -> None:
        """Remember the numbers of texts."""
        if version:
            entries = {self._place(kind, version, t): (n,) for t, n in numbers.items()}
            self.cache.keep(entries, elsewhere=kind in SHARED)

    def digest(self, items: Sequence[Item], rendering: str = "") -> str:
        """What a whole request is known by: its items, and what its rendering follows from."""
        parts: list[str] = [rendering]
        for item in items:
            content = item.content
            said = content if isinstance(content, str) else content.digest
            parts += (item.param, item.role, str(item.corruptible), item.author, item.side, said)
        return self.cache.digest(parts).hex()

    def request(
        self, version: str, threshold: float, authors: frozenset[Author], digest: str
    ) -> tuple[float, ...] | None:
        """The scores of the items of a whole request, if all of it was judged before."""
        if not version:
            return None
        return self.cache.find([self._request(version, threshold, authors, digest)], REQUEST)[0]

    def keep_request(
        self,
        version: str,
        threshold: float,
        authors: frozenset[Author],
        digest: str,
        scores: tuple[float, ...],
    ) -> None:
        """Remember the scores of a whole request's items."""
        if version:
            self.cache.keep({self._request(version, threshold, authors, digest): scores})

    def _place(self, kind: str, version: str, text: str) -> bytes:
        return self.cache.digest((kind, self.owner, version, text))

    def _request(
        self, version: str, threshold: float, authors: frozenset[Author], digest: str
    ) -> bytes:
        judged = ",".join(sorted(authors))
        return self.cache.digest((REQUEST, self.owner, version, repr(threshold), judged, digest))
