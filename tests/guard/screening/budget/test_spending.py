"""A request's budget: counted before anything is read, by detector, and kept to."""

from collections.abc import Sequence

import numpy as np
import pytest

from guard.observability.metrics import Metrics
from guard.screening.budget.spending import Account, Spending
from guard.screening.memory import Memory
from guard.screening.prices.token_estimate import tokens_in
from guard.screening.reading import Reading
from guard.screening.score_cache import ScoreCache
from guard.screening.views.view import ViewLimits
from guard.screening.workers.turn import OWN_TIME
from guard.terms.detector import Detector, Features, Scores
from guard.terms.errors import OverBudgetError
from guard.terms.item import Author, Item


class Reader(Detector):
    """Scores 1 for what holds `attack`; notes what it reads."""

    version = "v"

    def __init__(self) -> None:
        self.read: list[str] = []

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:  # noqa: ARG002
        self.read += texts
        return np.array([float("attack" in text) for text in texts], dtype=np.float32)


class Unpriced(Reader):
    is_priced = False


def words(count: int, word: str = "word") -> str:
    return f"{word} " * count


def turn(place: int, text: str, role: str = "user", author: Author | None = None) -> Item:
    chosen: Author = author or ("assistant" if role == "assistant" else "user")
    return Item(("messages", place, "content"), role, text, True, chosen)


def reading(items: Sequence[Item], most: int, memory: Memory | None = None) -> Reading:
    return Reading(items, None, ViewLimits(), memory, spending=Spending(most))


def test_what_fits_is_read() -> None:
    detector = Reader()
    found = reading([turn(0, words(100))], 100).item_scores(detector, 0.5)

    assert found.tolist() == [0.0]
    assert detector.read == [words(100)]


@pytest.mark.parametrize("count", [101, 1_000_000])
def test_what_does_not_fit_is_refused_before_anything_is_read(count: int) -> None:
    detector = Reader()
    with pytest.raises(OverBudgetError) as caught:
        reading([turn(0, words(count))], 100).item_scores(detector, 0.5)

    assert caught.value.most == 100
    assert 100 < caught.value.tokens <= count
    assert detector.read == []


def test_all_texts_count_together_and_each_once() -> None:
    same = [turn(place, words(60)) for place in range(5)]
    spending = Spending(10_000)
    Reading(same, None, ViewLimits(), spending=spending).item_scores(detector := Reader(), 0.5)

    assert spending.read == sum(map(tokens_in, detector.read))
    assert len(detector.read) == len(set(detector.read))


def test_disguises_count_beside_the_text_itself() -> None:
    plain = reading([turn(0, words(300))], 0)
    hidden = reading([turn(0, words(300, "w\u200bord"))], 0)
    for some in (plain, hidden):
        some.item_scores(Reader(), 0.5)

    with pytest.raises(OverBudgetError):
        reading([turn(0, words(300, "w\u200bord"))], 700).item_scores(Reader(), 0.5)
    reading([turn(0, words(300))], 700).item_scores(Reader(), 0.5)


def test_each_detector_has_a_budget_of_its_own() -> None:
    spending = Spending(150)
    request = Reading([turn(0, words(100))], None, ViewLimits(), spending=spending)
    for detector in (Reader(), Reader()):
        request.item_scores(detector, 0.5)

    assert spending.read == 200


def test_who_reads_without_a_model_may_read_anything() -> None:
    detector = Unpriced()
    spending = Spending(100)
    request = Reading([turn(0, words(1000) + "attack")], None, ViewLimits(), spending=spending)

    assert request.item_scores(detector, 0.5).tolist() == [1.0]
    assert spending.read == 0


def test_what_was_read_before_costs_nothing() -> None:
    memory = Memory(ScoreCache(1 << 20, Metrics()), "shop")
    old = turn(0, words(2000))
    detector = Reader()
    reading([old], 4000, memory).item_scores(detector, 0.5)
    detector.read.clear()

    longer = [old, turn(1, "Yes.", "assistant"), turn(2, words(50, "other"))]
    reading(longer, 1500, memory).item_scores(detector, 0.5)
    assert 0 < sum(map(tokens_in, detector.read)) < 1500


CHAT = (
    turn(0, words(80, "old"), author="third_party"),
    turn(1, words(80, "answered"), "assistant"),
    turn(2, words(80, "asked")),
    turn(3, words(80, "quoted"), "tool", "third_party"),
)


@pytest.mark.parametrize(
    ("most", "read"),
    [
        (60, {"quoted"}),
        (100, {"quoted"}),
        (200, {"quoted", "asked"}),
        (10_000, {"quoted", "asked", "old", "answered"}),
    ],
)
def test_what_is_new_and_third_parties_goes_first(most: int, read: set[str]) -> None:
    detector = Reader()
    request = reading(CHAT, most)
    request.item_scores(detector, 0.5, passes_unread=True)

    whole = {text.split()[0] for text in detector.read if len(set(text.split())) == 1}
    assert read <= whole
    assert sum(map(tokens_in, detector.read)) <= most
    assert (request.unread(detector) > 0) is (most < 10_000)


def test_of_a_text_that_is_too_long_both_ends_are_read() -> None:
    detector = Reader()
    text = "first " + words(100_000) + "attack"
    request = reading([turn(0, text)], 1000)
    found = request.item_scores(detector, 0.5, passes_unread=True)

    assert found.tolist() == [1.0]
    assert any(text.startswith("first") for text in detector.read)
    assert 98_000 < request.unread(detector) < 100_002


def test_what_was_read_in_part_is_not_remembered_as_read() -> None:
    memory = Memory(ScoreCache(1 << 20, Metrics()), "shop")
    text = words(500) + "attack " + words(500)
    first = reading([turn(0, text)], 100, memory)
    assert first.item_scores(Reader(), 0.5, passes_unread=True).tolist() == [0.0]

    again = reading([turn(0, text)], 10_000, memory)
    assert again.known_scores(Reader(), 0.5) is None
    assert again.item_scores(Reader(), 0.5).tolist() == [1.0]


def test_one_policys_leave_is_not_anothers() -> None:
    detector = Reader()
    request = reading([turn(0, words(1000))], 100)
    request.item_scores(detector, 0.5, passes_unread=True)

    with pytest.raises(OverBudgetError):
        request.item_scores(detector, 0.5)


def test_asked_again_for_a_text_an_account_gives_nothing_more() -> None:
    account = Account(100)
    for _ in range(3):
        account.choose([words(60)], lambda text: (text,), OWN_TIME, None)

    assert account.given == 60
