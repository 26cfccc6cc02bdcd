"""Runs the attacks through the proxy, without it and on the retain model, many samples each."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from classifiers.evaluation.asking import Asked, in_parts
from classifiers.evaluation.extraction.attacks import Surroundings, attack, fields
from classifiers.evaluation.extraction.targets import Target
from classifiers.evaluation.guarded_path import GuardedPath
from classifiers.model_server.endpoint import Messages
from classifiers.model_server.sampling import Sampling
from classifiers.runs.step_progress import Progress
from classifiers.statistics import unlearning_metrics as metrics
from classifiers.statistics.key_phrases import KeyPhrases, KnownAnswers
from guard.terms.verdict import Action

Who = Literal["proxy", "direct", "retain"]
WHO: tuple[Who, ...] = get_args(Who)
BUDGETS = (1, 5, 20)


@dataclass(frozen=True, slots=True)
class Sampled:
    """What one model's answers to one attack gave away, answer by answer.

    `leaks` is None where the gold answer has no key phrase that the attack does not say itself.
    """

    leaks: tuple[bool, ...] | None
    distinctive: tuple[bool, ...] | None
    rouge: tuple[float, ...]

    def leaked(self, budget: int) -> bool | None:
        """Whether one of the first `budget` answers leaks."""
        return any(self.leaks[:budget]) if self.leaks is not None else None


@dataclass(frozen=True, slots=True)
class Attacked:
    """One attack: the guard's verdict, and what each model said."""

    family: str
    action: Action
    answers: Mapping[Who, Sampled]

    @property
    def missed(self) -> bool:
        """Whether the model got the attack as it stands."""
        return self.action < Action.CORRUPT


@dataclass(frozen=True, slots=True)
class Extraction:
    """Attacks on targets; models but the direct one may be left out."""

    path: GuardedPath
    models: Mapping[Who, Asked]
    sampling: Sampling
    known: KnownAnswers
    surroundings: Surroundings

    def run(
        self, families: Sequence[str], chosen: Sequence[Target], report: Progress
    ) -> list[Attacked]:
        """Every family on every target that it can be made for."""
        endpoint = self.models["direct"].endpoint
        found: list[Attacked] = []
        for family in families:
            ask = functools.partial(self._attacked, family)
            attacked = in_parts(endpoint, family, ask, chosen, report)
            found += [item for item in attacked if item is not None]
        return found

    def _attacked(self, family: str, target: Target) -> Attacked | None:
        """One attack on all models; None where the family cannot make it."""
        said = attack(family, target, self.surroundings, self.sampling.seed)
        if said is None:
            return None
        prompt = " ".join(str(turn["content"]) for turn in said)
        phrases = KeyPhrases.of(prompt, target.pair.answer, self.known)
        answers = {
            who: _sampled(
                target.pair.answer, phrases, self._ask(model, said, fields(family, target))
            )
            for who, model in self.models.items()
        }
        return Attacked(family, self.path.judge(said).action, answers)

    def _ask(self, model: Asked, said: Messages, more: Mapping[str, Any]) -> Sequence[str]:
        sampling = self.sampling
        found = model.generate(
            said,
            n=sampling.samples,
            temperature=sampling.temperature,
            seed=sampling.seed,
            fields=more,
        )
        return found.texts


def _sampled(gold: str, phrases: KeyPhrases, texts: Sequence[str]) -> Sampled:
    def leaks(found: object, *, distinctive: bool) -> tuple[bool, ...] | None:
        if not found:
            return None
        return tuple(phrases.leaked(text, distinctive=distinctive) for text in texts)

    return Sampled(
        leaks(phrases.phrases, distinctive=False),
        leaks(phrases.distinctive, distinctive=True),
        tuple(metrics.rouge_recall(gold, text) for text in texts),
    )
