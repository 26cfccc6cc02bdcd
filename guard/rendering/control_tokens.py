"""The special tokens of a model in callers' texts: where they are, and texts without them.

A model server reads `<|im_end|>` inside a message as the end of that message: who writes it can
write whole turns in anybody's name. With a space behind its first character it is text like any
other, and can still be talked about. Prompts that are given whole (`prompt`, `input`, token ids)
are left alone: there special tokens are the caller's to set.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from guard.rendering.picture_texts import picture_paths
from guard.terms.item import Call, Item, Path
from guard.wire.call import replace_at, value_at

FIELDS = ("messages", "tools", "documents")
"""What a chat template makes a prompt of."""
SHORTEST = 3
"""Characters of a token; shorter ones are signs that every text has."""
PART = 3
"""Steps of a path before that to a part of a message."""
MOST_TURNS = 4
"""A token that is cut may leave another one."""
BREAK = "\u200b"
"""Between two parts of a message that make a token together: no template trims it away."""


class ControlTokens:
    """Those of one model."""

    def __init__(self, tokens: Iterable[str]) -> None:
        from ahocorasick_rs import AhoCorasick, MatchKind

        known = sorted({token for token in tokens if len(token.strip()) >= SHORTEST})
        # Some models have a thousand: a regular expression of them takes seconds for "[" * 100_000.
        self._matcher = AhoCorasick(known, matchkind=MatchKind.LeftmostLongest)

    def found(self, call: Call) -> Iterator[Item]:
        """The items of a chat request that hold some, or begin one that goes on in the next."""
        if "messages" not in call.body:
            return
        begun, pictures = self._begun(call.items), picture_paths(call.items)
        for item in call.items:
            if item.path[0] not in FIELDS or item.path in pictures:  # what is drawn is no token
                continue
            if item.path in begun or self._spans(item.text):
                yield item

    def neutral(self, call: Call) -> Call:
        """The call with every one of them written as text, in its body and its items."""
        body = {n: self._value(v) if n in FIELDS else v for n, v in call.body.items()}
        pictures = picture_paths(call.items)
        items = [
            replace(item, content=self._text(item.text))
            if item.text and item.path[0] in FIELDS and item.path not in pictures
            else item
            for item in call.items
        ]
        for path in self._begun(items):
            part = value_at(body, path)
            if isinstance(part, dict):
                key = "text" if "text" in part else "refusal"
                body = replace_at(body, (*path, key), f"{part[key]}{BREAK}")
            items = [
                replace(item, content=item.text + BREAK) if item.path == path else item
                for item in items
            ]
        return replace(call, body=body, items=tuple(items))

    def _text(self, text: str) -> str:
        for _ in range(MOST_TURNS):
            spans = self._spans(text)
            if not spans:
                break
            places = [0, *(start + 1 for start, _ in spans), len(text)]
            text = " ".join(text[start:end] for start, end in pairwise(places))
        return text

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Where tokens stand in a text."""
        try:
            found = self._matcher.find_matches_as_indexes(text)
        except UnicodeEncodeError:  # half a character, out of the escapes of arguments
            found = self._matcher.find_matches_as_indexes(text.encode(errors="replace").decode())
        return [(start, end) for _, start, end in found]

    def _value(self, value: object, key: str = "") -> object:
        if isinstance(value, str):
            return self._arguments(value) if key == "arguments" else self._text(value)
        if isinstance(value, list):
            return [self._value(one, key) for one in value]
        if isinstance(value, dict):
            return {self._text(name): self._value(one, name) for name, one in value.items()}
        return value

    def _arguments(self, text: str) -> str:
        """The arguments of a call, which the model server decodes: escapes hide nothing."""
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return self._text(text)
        neutral = self._value(said)
        return text if neutral == said else json.dumps(neutral)

    def _begun(self, items: Sequence[Item]) -> set[Path]:
        """Where the parts of messages are behind which a token goes on in the next part, whether
        a template trims them or not."""
        parts: dict[Path, list[Item]] = {}
        pictures = picture_paths(items)
        for item in items:
            if item.path in pictures:
                continue
            if item.text and item.path[0] == "messages" and len(item.path) > PART:
                parts.setdefault(item.path[:PART], []).append(item)
        begun: set[Path] = set()
        for own in parts.values():
            for texts in ([i.text for i in own], [i.text.strip() for i in own]):
                begun.update(own[place].path for place in self._crossed(texts))
        return begun

    def _crossed(self, texts: Sequence[str]) -> Iterator[int]:
        """The texts at whose end a token of all of them together goes on."""
        ends = list(accumulate(map(len, texts)))
        for start, end in self._spans("".join(texts)):
            yield from range(bisect_right(ends, start), bisect_left(ends, end))
