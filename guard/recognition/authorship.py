"""Whose words a request's texts are: what is known of them, and whom their key trusts."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from guard.recognition.answers import KnownAnswers
from guard.recognition.known import KnownTexts
from guard.settings import Settings, Trust
from guard.terms.item import Author, Call, Item, Path

TOOL_FIELDS = frozenset({"tools"})


class Authorship:
    """Gives the items of calls their authors; what it is not told of is as the wire says."""

    def __init__(self, settings: Settings, known: KnownTexts | None) -> None:
        self._answers = known.answers if known and settings.recognition.answers else None
        self._refusals = (settings.refusal.text,)
        self._trusts: Mapping[str, Trust] = {
            key.name: key.trust.over(settings.trust) for key in settings.keys
        }
        self._trust = settings.trust

    @property
    def answers(self) -> KnownAnswers | None:
        """Where answers are remembered."""
        return self._answers

    async def authored(self, call: Call, owner: str) -> Call:
        """The call with the author of every item; `owner` is its API key's name."""
        known = await self._known(call, owner)
        trust = self._trusts.get(owner, self._trust)
        if not known and trust == _PLAIN:
            return call
        items = [_by(_author(item, trust, known), item) for item in call.items]
        return replace(call, items=tuple(items))

    async def _known(self, call: Call, owner: str) -> Collection[Path]:
        if self._answers is None or all(item.role != "assistant" for item in call.items):
            return ()
        return await self._answers.known_fields(call, owner, self._refusals)


_PLAIN = Trust()


def _by(author: Author, item: Item) -> Item:
    return item if item.author == author else replace(item, author=author)


def _author(item: Item, trust: Trust, known: Collection[Path]) -> Author:
    if known and item.role == "assistant":
        return "assistant" if item.path in known else item.author
    if item.author != "developer":
        return item.author
    if item.role in TOOL_FIELDS and trust.tools_from == "third_party":
        return "third_party"
    return "user" if trust.developer_text == "user" else "developer"
