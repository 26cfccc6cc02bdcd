"""The tally: many looks, one verdict."""

from guard.answers.tally import Tally, together
from guard.terms.verdict import Action, Finding, Verdict


def finding(policy: str = "p", score: float | None = 0.0, **said: object) -> Verdict:
    action = said.pop("action", Action.ALLOW)
    fields = {"detector": "d", "action": action, "threshold": 0.5, **said}
    return Verdict.of([Finding(policy=policy, score=score, **fields)])  # type: ignore[arg-type]


FIRED = finding(score=0.9, action=Action.BLOCK, items=(0,))
FAILED = finding(score=None, action=Action.BLOCK, failure="timeout")


def test_the_worst_look_counts_for_each_policy() -> None:
    tally = Tally()
    for verdict in (finding(score=0.1), finding(score=0.3), finding("q", 0.2), finding(score=0.2)):
        tally.add(verdict, 0.5)

    assert [(f.policy, f.score) for f in tally.verdict.passed] == [("p", 0.3), ("q", 0.2)]
    assert tally.seconds == 2


def test_what_fired_weighs_more_than_a_failure() -> None:
    assert together((FAILED, FIRED)).failure is None
    assert together((FIRED, FAILED)).action is Action.BLOCK
    assert together((finding(score=0.1), FAILED)).failure == "timeout"
    assert together(()).action is Action.ALLOW
