"""Whose words a request's texts are: what is known of them, and whom their key trusts."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from guard.recognition.answers import KnownAnswers
from guard.recognition.known import KnownTexts
from guard.recognition.prompts import NOTHING_PINNED, PinnedPrompts
from guard.settings import Settings, Trust
from guard.terms.item import Author, Call, Item, Path

TOOL_FIELDS = frozenset({"tools"})


class Authorship:
    """Gives the items of calls their authors; what it is not told of is as the wire says."""

    def __init__(
        self,
        settings: Settings,
        known: KnownTexts | None,
        pinned: PinnedPrompts = NOTHING_PINNED,
    ) -> None:
        self._pinned = pinned
        self._texts = known
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
        pinned, unknown = self._pinned.look(call.items)
        if self._texts:
            self._texts.series.looked("prompt", len(pinned), len(unknown))
        trust = self._trusts.get(owner, self._trust)
        if not known and not pinned and trust == _PLAIN:
            return call
        items = [_by(_author(item, trust, known), item) for item in call.items]
        for place in pinned:
            items[place] = _by("operator", items[place])
        return replace(call, items=tuple(items))

    def passed_on(self, call: Call, owner: str) -> None:
        """Count the system prompts of a request that no policy has held back."""
        if self._texts and self._texts.proposer:
            prompts = self._pinned.prompts(call.items)
            seen = ((d, len(call.items[place].text)) for place, d in prompts)
            self._texts.proposer.seen(
                owner, (one for one in seen if one[0] not in self._pinned.digests)
            )

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
