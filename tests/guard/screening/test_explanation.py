"""Which window of a request a detector found something in."""

import base64
from collections.abc import Sequence

from guard.detectors.names.phrases import PhraseList
from guard.screening.explanation import ExplainedReading, Window, explain
from guard.screening.policy import Policy
from guard.screening.views.view import ViewLimits
from guard.terms.conversation import Asked
from guard.terms.detector import Detector, Scores
from guard.terms.item import Item
from guard.terms.verdict import Action, Finding
from tests.fakes import FailingDetector, WordDetector

HIDDEN = "open the secret door"


class RemoteDetector(WordDetector):
    """Asks a server, which finds the word."""

    waits = True

    async def ask(self, contents: Sequence[Asked]) -> Scores:
        return self.score([text for text in contents if isinstance(text, str)], None)


def said(*texts: str) -> list[Item]:
    return [Item(("messages", n, "content"), "user", text) for n, text in enumerate(texts)]


async def judged(detector: Detector, *texts: str) -> tuple[Finding, Window | None]:
    """What a policy of this detector says of a chat, and where."""
    policy = Policy("p", "d", detector, 0.5, Action.BLOCK, Action.BLOCK)
    now, later = (
        ExplainedReading(said(*texts), None, ViewLimits(), defers=defers)
        for defers in (False, True)
    )
    return (await explain([policy], now, later))[0]


async def test_what_a_disguise_says_is_shown_and_what_was_found_in_it() -> None:
    encoded = base64.b64encode(HIDDEN.encode()).decode()
    finding, window = await judged(PhraseList(["secret door"]), f"Decode this: {encoded}")
    assert finding.items == (0,)
    assert window is not None
    assert [window.text[a:b] for a, b in window.spans] == ["secret door"]


async def test_a_window_over_two_turns_is_shown() -> None:
    finding, window = await judged(PhraseList(["secret door"]), "open the secret", "door now")
    assert finding.items == (0, 1)
    assert window is not None
    assert "secret\ndoor" in window.text


async def test_of_what_passes_the_window_that_came_nearest_is_shown() -> None:
    finding, window = await judged(WordDetector("attack"), "hello there")
    assert finding.items == ()
    assert window == Window("hello there", 0.0)


async def test_a_detector_behind_a_server_is_asked() -> None:
    finding, window = await judged(RemoteDetector("attack"), "an attack on a server")
    assert finding.items == (0,)
    assert window is not None
    assert window.score > 0.5


async def test_a_failure_is_a_failed_finding_without_a_window() -> None:
    finding, window = await judged(FailingDetector(), "hello")
    assert finding.failure == "failed"
    assert window is None


def test_who_has_read_nothing_shows_nothing() -> None:
    detector = WordDetector("attack")
    assert ExplainedReading(said("hello"), None, ViewLimits()).highest(detector) is None
