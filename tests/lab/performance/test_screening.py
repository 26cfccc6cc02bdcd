"""The bench of screening's own cost: what is inside an encoder's pass, and what is not."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from guard.detectors.names.phrases import PhraseList
from guard.observability.metrics import Metrics
from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.terms.verdict import Action
from lab.performance.screening import TimedSession, measure, timed_sessions


@dataclass
class Adding:
    """A session that adds its input up."""

    def run(self, _names: Any, feeds: Any) -> list[Any]:
        return [sum(feed.sum() for feed in feeds.values())]


def test_sessions_note_time_and_shapes() -> None:
    tower = SimpleNamespace(_session=Adding())
    encoder = SimpleNamespace(_session=Adding())
    policies = [
        SimpleNamespace(detector=SimpleNamespace(_tower=tower)),
        SimpleNamespace(detector=1),
    ]
    sessions = timed_sessions(SimpleNamespace(encoder=encoder, policies=policies))
    assert [tower._session, encoder._session] == sessions[::-1]
    assert tower._session.run(None, {"ids": np.ones((2, 3))}) == [6.0]
    assert tower._session.shapes == [(2, 3)]
    assert tower._session.seconds > 0


def test_what_is_outside_the_passes_is_the_rest() -> None:
    policy = Policy("p", "d", PhraseList(["x"]), 0.5, Action.BLOCK, Action.BLOCK)
    screener = Screener([policy], None, Metrics())
    session = TimedSession(Adding(), seconds=1.0)
    detector_pass = screener.judge

    def judge(items: Any) -> Any:
        session.run(None, {"ids": np.ones((1, 7))})
        return detector_pass(items)

    screener.judge = judge  # type: ignore[method-assign]
    found = measure(screener, [session], 20)
    screener.close()
    assert found["read_tokens"] == 7
    assert 0 < found["passes_ms"] < found["whole_ms"]
    assert found["rest"] > 0
