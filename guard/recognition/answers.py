"""Answers that the guard has let out: remembered as they go, recognised when they come back.

An entry belongs to the API key that was answered. What one key's model said is no other key's
history, whatever policies the two have.
"""

from collections.abc import Iterable, Mapping, Sequence

from guard.observability.metrics import Metrics
from guard.recognition.digests import Digester
from guard.recognition.parts import Part, message_parts, text_part
from guard.recognition.recent import RecentDigests
from guard.recognition.said import AnswerReader
from guard.terms.item import Call, Path

CHAT_PATH = "/v1/chat/completions"
KIND = "answer"

Fields = Mapping[Path, tuple[Part, ...] | None]


class KnownAnswers:
    """Remembers the parts of answers; used inside one event loop."""

    def __init__(self, digester: Digester, recent: RecentDigests, metrics: Metrics) -> None:
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
        self._recent.add([self._digest(owner, part) for part in parts])

    async def known_fields(self, call: Call, owner: str, own_words: Sequence[str]) -> set[Path]:
        """The fields of the assistant's messages that the guard has let out, by path.

        `own_words` are texts that it says itself, refusals.
        """
        fields = _assistant_fields(call)
        own = {text_part(text) for text in own_words}
        parts = {part for found in fields.values() for part in found or () if any(part[1:])} - own
        digests = {part: self._digest(owner, part) for part in parts}
        seen = self._recent.find(list(digests.values()))
        known = {part for part, digest in digests.items() if digest in seen} | own
        found = {path for path, made in fields.items() if _all_known(made, known)}
        self._metrics.recognition.looked(KIND, len(found), len(fields) - len(found))
        return found

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
        if message.get("role") == "assistant":
            found |= message_parts(message, ("messages", index))
    return found


def _all_known(parts: tuple[Part, ...] | None, known: set[Part]) -> bool:
    return parts is not None and all(part in known or not any(part[1:]) for part in parts)
