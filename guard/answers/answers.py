"""Which answers are judged, and by what: of one configuration, for all its requests."""

from collections.abc import Sequence
from dataclasses import replace

from guard.answers.asking_again import AskAgain, asked_last
from guard.answers.endings import asks_for_structure, fallback
from guard.answers.guarded_answer import GuardedAnswer, Notes
from guard.answers.judge import Judge
from guard.answers.transcript import Transcript
from guard.answers.windows import Window
from guard.observability.metrics import Metrics
from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.settings import Release, Settings
from guard.terms.item import Call
from guard.terms.verdict import Action, Verdict

_STRICTEST: tuple[Release, ...] = ("whole", "hold", "tail")


class Answers:
    """Makes what guards an answer."""

    def __init__(self, settings: Settings, screener: Screener, metrics: Metrics) -> None:
        self._settings = settings
        self._screener = screener
        self._metrics = metrics
        self._forms = {policy.name: policy.refusal for policy in settings.policies}

    def guard(
        self,
        call: Call,
        policies: Sequence[Policy],
        owner: str,
        notes: Notes,
        again: AskAgain | None = None,
    ) -> GuardedAnswer | None:
        """What guards the answer to `call` by its policies; None where there are none, and the
        answer goes untouched. `again` asks anew where an answer is replaced; without it, such an
        answer is stopped."""
        if not policies:
            return None
        policies = [replace(p, detector=p.detector.about(call)) for p in policies]
        acting = [policy for policy in policies if not policy.shadow]
        shadows = [policy for policy in policies if policy.shadow]
        seen = max((policy.detector.context for policy in acting), default=0)
        reach = max((policy.detector.reach for policy in acting), default=0)
        return GuardedAnswer(
            call=call,
            judge=Judge(self._screener, self._metrics, acting, shadows, owner, asked_last(call)),
            release=_release(call, acting),
            window=Window(self._settings.answers.window, reach, seen),
            held_bytes=self._settings.answers.held_bytes,
            refusal=lambda verdict: self._said(call, verdict),
            series=self._metrics.answers,
            notes=notes,
            transcript=Transcript() if shadows else None,
            again=again,
        )

    def _said(self, call: Call, verdict: Verdict) -> str:
        """What is said in place of an answer: a refusal where refusals are messages."""
        refusal, cause = self._settings.refusal, verdict.cause
        own = self._forms.get(cause.policy.partition("@")[0]) if cause else None
        text = refusal.text if (own or refusal.form) == "message" else ""
        return fallback(call, self._settings.answers.structured, text)


def _release(call: Call, acting: Sequence[Policy]) -> Release:
    """The strictest mode of all; JSON that was promised goes as a whole, for half of it is none."""
    if not acting:
        return "tail"
    if asks_for_structure(call):
        return "whole"
    modes = {"whole" if p.action is Action.REPLACE else p.mode for p in acting}
    return next(mode for mode in _STRICTEST if mode in modes)
