"""The limits of one API key as token buckets: the arithmetic, and buckets in memory.

A bucket holds what is left of a minute's allowance and fills steadily, so a limit is never passed
by bunching requests around the turn of a minute. The same arithmetic stands in `shared.lua`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Literal

from guard.settings import Rates

Limit = Literal["requests", "tokens", "concurrent"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a key stands after a request asked for admission.

    `refused` is the limit that it met, None when it was admitted; `requests` and `tokens` are what
    is left of the two buckets (below 0: a debt); `running` counts the requests under way.
    """

    refused: Limit | None
    requests: float
    tokens: float
    running: int


@dataclass(slots=True)
class _Account:
    requests: float
    tokens: float
    at: float
    running: int = 0


class LocalLimits:
    """Limits counted in this process alone."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._accounts: dict[str, _Account] = {}

    def admit(self, key: str, rates: Rates, cost: int) -> Standing:
        """Take a request that costs about `cost` tokens from the key's buckets, if it may pass."""
        account = self._filled(key, rates)
        refused = _refused(account, rates, cost)
        if refused is None:
            account.requests -= 1 if rates.requests_per_minute else 0
            account.tokens -= cost if rates.tokens_per_minute else 0
            account.running += 1
        return Standing(refused, account.requests, account.tokens, account.running)

    def settle(self, key: str, difference: int) -> None:
        """End a request that has cost `difference` tokens more than was taken."""
        account = self._accounts[key]
        account.tokens -= difference
        account.running -= 1

    def _filled(self, key: str, rates: Rates) -> _Account:
        now = self._clock()
        requests, tokens = rates.requests_per_minute or 0, rates.tokens_per_minute or 0
        account = self._accounts.setdefault(key, _Account(requests, tokens, now))
        minutes = max(0.0, now - account.at) / 60
        account.requests = min(requests, account.requests + minutes * requests)
        account.tokens = min(tokens, account.tokens + minutes * tokens)
        account.at = now
        return account


def _refused(account: _Account, rates: Rates, cost: int) -> Limit | None:
    if rates.concurrent_requests and account.running >= rates.concurrent_requests:
        return "concurrent"
    if rates.requests_per_minute and account.requests < 1:
        return "requests"
    # A request that is larger than a whole minute's allowance passes when the bucket is full.
    if rates.tokens_per_minute and account.tokens < min(cost, rates.tokens_per_minute):
        return "tokens"
    return None
