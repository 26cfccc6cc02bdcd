"""Which policies apply to a request: decided by its key, its route and its model, nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

from guard.screening.canary import NO_CANARIES, Canary
from guard.screening.policy import Policy
from guard.settings import Policy as PolicySettings
from guard.settings import When
from guard.terms.item import Side
from guard.terms.verdict import Action

# Without configured models a caller may name any: what is remembered must not grow with that.
MOST_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Selector:
    """The keys, routes and models that a policy is for; None means all of them."""

    keys: frozenset[str] | None = None
    routes: frozenset[str] | None = None
    models: frozenset[str] | None = None

    @classmethod
    def build(cls, when: When) -> Self:
        """The selector that `when` describes."""
        return cls(*(_all_or(names) for names in (when.keys, when.routes, when.models)))

    def applies(self, key: str, route: str, model: str) -> bool:
        """Whether the policy is for such a request; `key` is the API key's name."""
        return (
            (self.keys is None or key in self.keys)
            and (self.routes is None or route in self.routes)
            and (self.models is None or model in self.models)
        )


ALWAYS = Selector()


@dataclass(frozen=True, slots=True)
class Selection:
    """The policies that judge a request, in the order of the configuration."""

    policies: tuple[Policy, ...] = ()

    def of(self, side: Side) -> tuple[Policy, ...]:
        """Those that judge one side."""
        return tuple(policy for policy in self.policies if policy.side == side)

    @property
    def may_corrupt(self) -> bool:
        """Whether some policy that acts corrupts prompts, at once or to replace an answer."""
        corrupting = (Action.CORRUPT, Action.REPLACE)
        return any(p.action in corrupting and not p.shadow for p in self.policies)


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy, whom it is for, and the canary of its detector."""

    selector: Selector
    policy: Policy
    threshold: float | Literal["from_artifact"]
    canary: Canary | None = None

    def policies(self, key: str) -> tuple[Policy, ...]:
        """What judges a request with this key: of one in the canary's share both detectors, and
        the canary acts."""
        if self.canary is None or not self.canary.has(key):
            return (self.policy,)
        return self.canary.policy(self.policy, self.threshold), replace(self.policy, shadow=True)


class PolicyTable:
    """All policies with their selectors."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._known: dict[tuple[str, str, str], Selection] = {}

    @classmethod
    def build(
        cls,
        policies: Sequence[Policy],
        settings: Sequence[PolicySettings],
        canaries: Mapping[str, Canary] = NO_CANARIES,
    ) -> Self:
        """Policies, what the configuration says of each (in the same order), and the canaries of
        their detectors."""
        return cls(
            [
                Rule(Selector.build(s.when), p, s.threshold, canaries.get(s.detector))
                for s, p in zip(settings, policies, strict=True)
            ]
        )

    def select(self, key: str, route: str, model: str) -> Selection:
        """The policies for a request with this key's name ("" without keys), route and model."""
        place = key, route, model
        found = self._known.get(place)
        if found is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            found = self._known[place] = self._selected(*place)
        return found

    def _selected(self, key: str, route: str, model: str) -> Selection:
        chosen = [rule for rule in self._rules if rule.selector.applies(key, route, model)]
        return Selection(tuple(policy for rule in chosen for policy in rule.policies(key)))


def _all_or(names: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)
