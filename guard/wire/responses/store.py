"""Answers kept for `previous_response_id` and retrieval: in memory, bounded, by owner."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from guard.terms.errors import RequestError
from guard.terms.json import JsonObject


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """Bounds on all stored answers together; `ttl_s` counts from the last time one was used."""

    responses: int = 4096
    bytes: int = 64 << 20
    ttl_s: float = 24 * 3600


@dataclass(slots=True)
class _Entry:
    owner: str
    response: bytes
    turn: bytes
    previous: str | None
    used: float

    @property
    def size(self) -> int:
        return len(self.response) + len(self.turn)


class ResponseStore:
    """Stored responses, least recently used first out.

    Each entry holds one turn only; a conversation is the chain of its turns, so memory grows with
    what was said and not with its square. An owner never sees another's entries. One process, one
    store: replicas need the same client to reach the same one.
    """

    def __init__(
        self, limits: StoreLimits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits or StoreLimits()
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def put(
        self,
        owner: str,
        response: JsonObject,
        turn: Sequence[JsonObject],
        previous: str | None = None,
    ) -> None:
        """Keep a response and the chat messages of its turn, its answer's included."""
        entry = _Entry(owner, orjson.dumps(response), orjson.dumps(turn), previous, self._clock())
        response_id = str(response["id"])
        self._entries[response_id] = entry
        self._bytes += entry.size
        self._touch(owner, response_id)
        self._evict()

    def get(self, owner: str, response_id: str) -> JsonObject:
        """The response; RequestError 404 when there is none of this owner."""
        self._evict()
        entry = self._find(owner, response_id)
        if entry is None:
            raise _not_found("Response not found", "response_id", "response_not_found")
        response: JsonObject = orjson.loads(entry.response)
        return response

    def delete(self, owner: str, response_id: str) -> JsonObject:
        """Forget a response; what continues it can no longer be continued. 404 as in `get`."""
        self.get(owner, response_id)
        self._remove(response_id)
        return {"id": response_id, "object": "response", "deleted": True}

    def cancel(self, owner: str, response_id: str) -> JsonObject:
        """Always a RequestError: only responses made in the background can be cancelled."""
        self.get(owner, response_id)
        raise RequestError("Cannot cancel a synchronous response.", param="response_id")

    def history(self, owner: str, response_id: str) -> list[JsonObject]:
        """The chat messages of a response and all turns before it, the oldest first.

        Raises RequestError 404 when one of them is unknown, expired, deleted or another owner's.
        """
        self._evict()
        turns: list[list[JsonObject]] = []
        step: str | None = response_id
        while step is not None:
            entry = self._find(owner, step)
            if entry is None:
                raise _not_found(
                    "The previous response, or one it continues, is not stored (any longer)",
                    "previous_response_id",
                    "previous_response_not_found",
                )
            turns.append(orjson.loads(entry.turn))
            step = entry.previous
        self._touch(owner, response_id)
        return [message for turn in reversed(turns) for message in turn]

    def _find(self, owner: str, response_id: str) -> _Entry | None:
        entry = self._entries.get(response_id)
        return entry if entry is not None and entry.owner == owner else None

    def _touch(self, owner: str, response_id: str | None) -> None:
        """Mark a whole chain as used, its oldest turn last: eviction takes leaves first."""
        while response_id is not None and (entry := self._find(owner, response_id)):
            entry.used = self._clock()
            self._entries.move_to_end(response_id)
            response_id = entry.previous

    def _evict(self) -> None:
        oldest_kept = self._clock() - self._limits.ttl_s
        while self._entries:
            response_id, entry = next(iter(self._entries.items()))
            full = len(self._entries) > self._limits.responses or self._bytes > self._limits.bytes
            if not full and entry.used >= oldest_kept:
                return
            self._remove(response_id)

    def _remove(self, response_id: str) -> None:
        self._bytes -= self._entries.pop(response_id).size


def _not_found(message: str, param: str, code: str) -> RequestError:
    return RequestError(message, param=param, status=404, code=code)
