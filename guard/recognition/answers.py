"""Answers that the guard has let out: remembered as they go, recognised when they come back.

An entry belongs to the API key that was answered. What one key's model said is no other key's
history, whatever policies the two have.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from guard.observability.metrics import Metrics
from guard.recognition.digests import Digester
from guard.recognition.parts import Part, message_parts, says_something, text_part
from guard.recognition.recent import RecentDigests
from guard.recognition.said import AnswerReader
from guard.recognition.shared import SharedMemory
from guard.terms.item import Call, Path

CHAT_PATH = "/v1/chat/completions"
ASSISTANT = "assistant"
MOST_HASHED = 100_000
"""Characters that are hashed on the event loop; more of them in a thread."""
KIND: Literal["answer"] = "answer"

Fields = Mapping[Path, tuple[Part, ...] | None]


class KnownAnswers:
    """Remembers the parts of answers; used inside one event loop."""

    def __init__(
        self,
        digester: Digester,
        recent: RecentDigests,
        metrics: Metrics,
        shared: SharedMemory | None = None,
        seconds: float = 0,
    ) -> None:
        """What is new is `shared` with other processes, for so many seconds."""
        self._shared = shared
        self._seconds = seconds
        self._digester = digester
        self._recent = recent
        self._metrics = metrics

    def listener(self, call: Call, owner: str) -> "AnswerListener | None":
        """What listens to the answer of a call; None where no such answer comes back as a turn,
        or where it would repeat words of the caller's."""
        if call.upstream_path != CHAT_PATH or call.body.get("echo"):
            return None
        return AnswerListener(self, owner)

    def keep(self, owner: str, parts: Iterable[Part]) -> None:
        """Remember what an answer to this key says."""
        digests = [self._digest(owner, part) for part in parts]
        self._recent.add(digests)
        if self._shared:
            self._shared.keep(KIND, dict.fromkeys(digests, b"1"), self._seconds)

    async def known_fields(self, call: Call, owner: str, own_words: Sequence[str]) -> set[Path]:
        """The fields of the assistant's messages that the guard has let out, by path.

        `own_words` are texts that it says itself, refusals.
        """
        own = {text_part(text) for text in own_words}
        size = sum(len(item.text) for item in call.items if item.role == ASSISTANT)
        if size > MOST_HASHED:
            fields, digests = await asyncio.to_thread(self._hashed, call, owner)
        else:
            fields, digests = self._hashed(call, owner)
        seen = await self._seen(list(digests.values()))
        known = {part for part, digest in digests.items() if digest in seen} | own
        found = {path for path, made in fields.items() if _all_known(made, known)}
        self._metrics.recognition.looked(KIND, len(found), len(fields) - len(found))
        return found

    def _hashed(self, call: Call, owner: str) -> tuple[Fields, dict[Part, bytes]]:
        """The parts of every field of the assistant's, and the hash of each part."""
        fields = _assistant_fields(call)
        parts = {p for found in fields.values() for p in found or () if says_something(p)}
        return fields, {part: self._digest(owner, part) for part in parts}

    async def _seen(self, digests: list[bytes]) -> set[bytes]:
        seen = self._recent.find(digests)
        absent = [digest for digest in digests if digest not in seen]
        if self._shared and absent:
            told = await asyncio.to_thread(self._shared.find, KIND, absent)
            self._recent.add(told)
            seen |= told.keys()
        return seen

    def _digest(self, owner: str, part: Part) -> bytes:
        return self._digester.digest((owner, *part))


class AnswerListener:
    """Reads one answer beside its relay; what was said is remembered once it has ended, whoever
    ended it, and before the client can have read that."""

    def __init__(self, answers: KnownAnswers, owner: str) -> None:
        self._answers = answers
        self._owner = owner
        self._reader: AnswerReader | None = AnswerReader()

    def feed(self, events: bytes) -> None:
        """Complete events that go to the client."""
        if self._reader:
            self._reader.feed(events)

    def whole(self, body: bytes) -> None:
        """The answer, if it comes as a whole."""
        if self._reader:
            self._reader.whole(body)
        self.finish()

    def finish(self) -> None:
        """Nothing more is let out."""
        reader, self._reader = self._reader, None
        if reader:
            self._answers.keep(self._owner, reader.parts())


def _assistant_fields(call: Call) -> dict[Path, tuple[Part, ...] | None]:
    messages = call.body.get("messages")
    found: dict[Path, tuple[Part, ...] | None] = {}
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        if message.get("role") == ASSISTANT:
            found |= message_parts(message, ("messages", index))
    return {path: parts for path, parts in found.items() if _holds_words(parts)}


def _holds_words(parts: tuple[Part, ...] | None) -> bool:
    return parts is None or any(map(says_something, parts))


def _all_known(parts: tuple[Part, ...] | None, known: set[Part]) -> bool:
    return parts is not None and all(p in known or not says_something(p) for p in parts)
