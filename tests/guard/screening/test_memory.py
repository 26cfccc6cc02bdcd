"""What a request finds in the cache: its own key's entries, of the same detector's version."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from guard.detectors.sentences import sentences
from guard.observability.metrics import Metrics
from guard.observability.recognition_series import RecognitionSeries
from guard.recognition.digests import Digester
from guard.recognition.shared import SharedMemory
from guard.recognition.shared_scores import SharedScores
from guard.screening.memory import Memory
from guard.screening.reading import Reading
from guard.screening.score_cache import ScoreCache
from guard.screening.views.view import ViewLimits
from guard.settings import Redis
from guard.terms.detector import Detector, Features, Scores
from guard.terms.errors import DetectorError
from guard.terms.item import Item
from tests.redis_server import RedisServer


@dataclass
class Noting(Detector):
    """Scores 1 for texts that hold "attack", and notes what it was given."""

    threshold: float = 0.5
    encoder: str | None = None
    version: str = "one"
    fails: bool = False
    read: list[str] = field(default_factory=list)

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:  # noqa: ARG002
        self.read.extend(texts)
        if self.fails:
            raise RuntimeError("scripted failure")
        return np.array(["attack" in text for text in texts], dtype=np.float32)

    def new(self) -> list[str]:
        """What it was given since the last look."""
        noted, self.read = self.read, []
        return noted


@dataclass
class InSentences(Noting):
    """Reads sentences by themselves too, as numbers that it alone can make a score of."""

    measured: list[str] = field(default_factory=list)

    def parts(self, text: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys((text, *sentences(text))))

    def part_numbers(self, parts: Sequence[str], features: Features | None = None) -> Scores:
        self.measured.extend(parts)
        return 10 * self.score(parts, features)

    def score_of_parts(self, numbers: Sequence[float]) -> float:
        return max(numbers) / 10


@dataclass
class OfSubjects(Noting):
    """What screening reads in sentences, since each may ask about a subject."""

    has_subjects = True

    def subjects(
        self,
        texts: Sequence[str],
        features: Features | None,  # noqa: ARG002
        threshold: float,
    ) -> tuple[int, ...]:
        return (0,) if threshold <= any("attack" in text for text in texts) else ()

    def names_of(self, subjects: Sequence[int]) -> tuple[str, ...]:
        return tuple(map(str, subjects))


def said(*turns: str, roles: Sequence[str] = ("user", "assistant")) -> list[Item]:
    return [
        Item(("messages", at, "content"), roles[at % 2], text, True)
        for at, text in enumerate(turns)
    ]


def judge(
    cache: ScoreCache, detector: Noting, items: Sequence[Item], owner: str = "shop"
) -> list[float]:
    memory = Memory(cache, owner)
    found = Reading(items, None, ViewLimits(), memory).item_scores(detector, 0.5).tolist()
    plain = Noting(encoder=detector.encoder)
    assert found == Reading(items, None, ViewLimits()).item_scores(plain, 0.5).tolist()
    return [float(score) for score in found]


@pytest.fixture
def cache() -> ScoreCache:
    return ScoreCache(1 << 20, Metrics())


def test_a_replica_that_starts_reads_no_conversation_again(redis: RedisServer) -> None:
    settings, series = Redis(url=redis.url, timeout_s=5), RecognitionSeries(CollectorRegistry())
    history = said(*(f"Turn {number} of the talk. " + "It goes on. " * 40 for number in range(6)))
    read = []
    for _ in range(2):
        memory = SharedMemory(settings, series)
        scores = SharedScores(memory, Digester(b"k" * 32, shared=True), 60)
        detector = Noting()
        judge(ScoreCache(1 << 20, Metrics(), scores), detector, history)
        read.append(detector.new())
        memory.close()
    assert read[0]
    assert read[1] == []


def test_a_growing_chat_costs_its_new_turn(cache: ScoreCache) -> None:
    detector = Noting()
    history = [f"Turn {number} of the talk. " + "It goes on. " * 40 for number in range(6)]
    judge(cache, detector, said(*history))
    first = detector.new()
    judge(cache, detector, said(*history, "And now something new."))
    new = detector.new()

    assert "And now something new." in new
    assert not set(new) & set(first)
    assert not set(new) & set(history)
    assert sum(map(len, new)) < sum(map(len, first)) / 4


@pytest.mark.parametrize("kind", [InSentences, OfSubjects])
def test_a_sentence_is_read_once_though_windows_around_it_change(
    cache: ScoreCache, kind: type[Noting]
) -> None:
    detector = kind()
    history = [f"This is the turn {name}. That is all of {name}." for name in ("A", "B", "C")]
    judge(cache, detector, said(*history))
    read = set(detector.new())
    judge(cache, detector, said(*history, "Now the last one. It says something."))
    new = detector.new()

    assert {"This is the turn C.", "That is all of C."} <= read
    assert {"Now the last one.", "It says something."} <= set(new)
    assert len(new) == len(set(new))
    assert not set(new) & read
    assert any("turn C" in text and "last one" in text for text in new), "a window that changed"


@pytest.mark.parametrize("kind", [InSentences, OfSubjects])
def test_sentences_are_another_keys_own_and_another_versions_own(
    cache: ScoreCache, kind: type[Noting]
) -> None:
    first, second = said("One sentence here. An attack."), said("Another one. An attack.")
    detector = kind()
    assert judge(cache, detector, first) == [1.0]
    for owner, version in (("other", "one"), ("shop", "two")):
        detector.new()
        detector.version = version
        assert judge(cache, detector, second, owner) == [1.0]
        assert "An attack." in detector.new()
    assert judge(cache, detector, said("A third one. An attack.")) == [1.0]
    assert "An attack." not in detector.new()


def test_numbers_of_parts_that_are_none_are_not_remembered(cache: ScoreCache) -> None:
    class Broken(InSentences):
        def part_numbers(self, parts: Sequence[str], features: Features | None = None) -> Scores:
            assert features is None
            return np.full(len(parts), np.inf, dtype=np.float32)

    reading = Reading(said("One here. Two there."), None, ViewLimits(), Memory(cache, "shop"))
    with pytest.raises(DetectorError):
        reading.item_scores(Broken(), 0.5)
    assert len(cache) == 0


def test_what_was_judged_is_known_whole(cache: ScoreCache) -> None:
    detector, items = Noting(), said("an attack", "no", "harmless")
    reading = Reading(items, None, ViewLimits(), Memory(cache, "shop"))
    assert reading.known_scores(detector, 0.5) is None
    scores = judge(cache, detector, items)
    again = Reading(items, None, ViewLimits(), Memory(cache, "shop"))

    known = again.known_scores(detector, 0.5)
    assert known is not None
    assert known.tolist() == scores
    assert again.known_scores(detector, 0.4) is None
    assert (
        Reading(items[:2], None, ViewLimits(), Memory(cache, "shop")).known_scores(detector, 0.5)
        is None
    )


def test_another_keys_entries_are_not_found(cache: ScoreCache) -> None:
    detector = Noting()
    judge(cache, detector, said("hello"))
    detector.new()
    judge(cache, detector, said("hello"), owner="other")
    assert "hello" in detector.new()


def test_a_new_version_starts_anew(cache: ScoreCache) -> None:
    detector = Noting()
    judge(cache, detector, said("hello"))
    detector.new()
    detector.version = "two"
    judge(cache, detector, said("hello"))
    assert "hello" in detector.new()


def test_without_a_version_nothing_is_remembered(cache: ScoreCache) -> None:
    detector = Noting(version="")
    for _ in range(2):
        judge(cache, detector, said("hello"))
        assert "hello" in detector.new()
    assert len(cache) == 0


def test_failures_are_not_remembered(cache: ScoreCache) -> None:
    detector = Noting(fails=True)
    reading = Reading(said("an attack"), None, ViewLimits(), Memory(cache, "shop"))
    with pytest.raises(RuntimeError):
        reading.item_scores(detector, 0.5)
    assert len(cache) == 0
    detector.fails = False
    assert judge(cache, detector, said("an attack")) == [1.0]


def test_scores_that_are_none_are_not_remembered(cache: ScoreCache) -> None:
    class Broken(Noting):
        def score(self, texts: Sequence[str], features: Features | None) -> Scores:  # noqa: ARG002
            return np.full(len(texts), np.nan, dtype=np.float32)

    reading = Reading(said("hello"), None, ViewLimits(), Memory(cache, "shop"))
    with pytest.raises(DetectorError):
        reading.item_scores(Broken(), 0.5)
    assert len(cache) == 0


def test_a_decoy_turn_shields_nothing_from_memory_either(cache: ScoreCache) -> None:
    """The rest is joined anew without what fired: remembered and fresh verdicts are alike."""
    detector = Noting()
    turns = said("an at", "yes", "tack", "no", "an attack", "fine")
    first = judge(cache, detector, turns)
    assert judge(cache, detector, turns) == first
    assert judge(cache, detector, turns[:3]) == first[:3]
