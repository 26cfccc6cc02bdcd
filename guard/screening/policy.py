"""Policies: from a detector's scores to findings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import time_ns

from guard.settings import AskIf, Release
from guard.settings import Policy as PolicySettings
from guard.terms.detector import Detector
from guard.terms.errors import ConfigError, Failure
from guard.terms.item import AUTHORS, Author, Side
from guard.terms.verdict import Action, Finding

MOST_SUBJECTS = 20
"""The most forget requests that a finding names."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One rule with its detector at hand; `threshold` is the operator's or the artifact's.

    It judges what its `authors` wrote. A `shadow` policy judges like any other, but its findings do
    not act.
    """

    name: str
    detector_name: str
    detector: Detector
    threshold: float
    action: Action
    on_error: Action
    shadow: bool = False
    authors: frozenset[Author] = frozenset(AUTHORS)
    side: Side = "prompt"
    mode: Release = "hold"
    passes_unread: bool = False
    ask_if: AskIf | None = None

    @classmethod
    def build(cls, settings: PolicySettings, detector: Detector) -> "Policy":
        """The policy that `settings` describes; ConfigError where its detector cannot judge that
        side."""
        if settings.side not in detector.sides:
            raise ConfigError(
                f"policies.{settings.name}.side: '{settings.detector}' cannot judge that"
            )
        if settings.action == "redact" and not detector.finds_spans:
            said = f"'{settings.detector}' cannot say where what it finds stands"
            raise ConfigError(f"policies.{settings.name}.action: {said}")
        own = settings.threshold == "from_artifact"
        return cls(
            name=settings.name,
            detector_name=settings.detector,
            detector=detector,
            threshold=detector.threshold if own else float(settings.threshold),
            action=Action[settings.action.upper()],
            on_error=Action[settings.on_error.upper()],
            shadow=settings.shadow,
            authors=_authors(settings, detector),
            side=settings.side,
            mode=settings.mode or "hold",
            passes_unread=settings.on_cost == "pass_unread",
            ask_if=settings.ask_if,
        )

    def judge(
        self,
        scores: Sequence[float],
        began_ns: int = 0,
        subjects: Callable[[], tuple[str, ...]] = tuple,
        unread: int = 0,
    ) -> Finding:
        """The finding for a request whose items scored `scores`, in item order.

        `began_ns` is when scoring began, where it is told. Only if it fires, `subjects` is asked
        what the request was about.
        """
        fired = tuple(index for index, score in enumerate(scores) if score >= self.threshold)
        highest = float(max(scores))
        calibration = self.detector.calibration
        return Finding(
            policy=self.name,
            detector=self.detector_name,
            action=self.action if fired else Action.ALLOW,
            score=highest,
            threshold=self.threshold,
            items=fired,
            p_benign=calibration.p_benign(highest) if calibration else None,
            p_malicious=calibration.p_malicious(highest) if calibration else None,
            shadow=self.shadow,
            began_ns=began_ns,
            ended_ns=time_ns() if began_ns else 0,
            subjects=subjects()[:MOST_SUBJECTS] if fired else (),
            side=self.side,
            unread=unread,
        )

    def is_asked(self, found: Mapping[str, Finding]) -> bool:
        """Whether its detector is asked, by the findings of policies that judged first: not where
        the one that decides has a lower score. One that is not there, or failed, decides nothing.
        """
        first = found.get(self.ask_if.policy) if self.ask_if else None
        if self.ask_if is None or first is None or first.score is None:
            return True
        return first.score >= self.ask_if.score

    def spared(self) -> Finding:
        """The finding where its detector was not asked: it passed, without a score."""
        return Finding(
            policy=self.name,
            detector=self.detector_name,
            action=Action.ALLOW,
            score=None,
            threshold=self.threshold,
            shadow=self.shadow,
            side=self.side,
        )

    def failed(self, failure: Failure, priced: int = 0) -> Finding:
        """The finding of a policy that could not judge: the operator's `on_error`; where there was
        too much to read (`priced` tokens), nothing is passed on."""
        return Finding(
            policy=self.name,
            detector=self.detector_name,
            action=Action.BLOCK if failure == "over_budget" else self.on_error,
            score=None,
            threshold=self.threshold,
            failure=failure,
            priced=priced,
            shadow=self.shadow,
            side=self.side,
        )


def _authors(settings: PolicySettings, detector: Detector) -> frozenset[Author]:
    """Whose texts the policy judges: a pinned text is still the developer's to whoever judges
    everybody's."""
    if settings.side == "answer":  # all of it is the model's
        return frozenset(AUTHORS)
    if settings.authors is None:
        return detector.authors
    chosen = frozenset[Author](settings.authors)
    whole = "developer" in chosen and "operator" in detector.authors
    return chosen | {"operator"} if whole else chosen
