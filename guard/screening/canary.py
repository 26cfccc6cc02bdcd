"""A newly trained detector on trial: it acts for a share of the API keys, beside the old one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from types import MappingProxyType
from typing import Literal

from guard.screening.policy import Policy
from guard.terms.detector import Detector
from guard.terms.verdict import CANARY


@dataclass(frozen=True, slots=True)
class Canary:
    """A detector on trial; `digest` is its manifest's, `share` in (0, 1] that of the keys."""

    detector: Detector
    digest: str
    share: float

    def has(self, key: str) -> bool:
        """Whether the requests of an API key (by its name) are the canary's.

        By a hash keyed with the digest: the same on all replicas and as long as the artifact is
        the same, and other keys for the next one.
        """
        hashed = blake2b(key.encode(), digest_size=8, key=self.digest.encode()[:64]).digest()
        return int.from_bytes(hashed) < self.share * 2**64

    def policy(self, policy: Policy, threshold: float | Literal["from_artifact"]) -> Policy:
        """The policy as it judges by the canary."""
        own = threshold == "from_artifact"
        return replace(
            policy,
            name=f"{policy.name}@{CANARY}",
            detector_name=f"{policy.detector_name}@{CANARY}",
            detector=self.detector,
            threshold=self.detector.threshold if own else policy.threshold,
        )


NO_CANARIES: Mapping[str, Canary] = MappingProxyType({})
