"""What becomes of a request that a policy blocks: refused, or gone on with without an old turn."""

from dataclasses import dataclass
from typing import Literal

from guard.corruption.rewriting import GENERATING
from guard.gateway.client import EVENTS, Reply
from guard.images.removal import places_of, without_pictures
from guard.settings import Settings
from guard.terms.entry import Cut
from guard.terms.errors import BudgetError, ClientVisibleError, ScreeningError
from guard.terms.item import Call
from guard.terms.verdict import Action, Verdict
from guard.wire.history import MESSAGES, Turn, turns_of, without_turns
from guard.wire.json_body import serialise
from guard.wire.protocol import WireProtocol


@dataclass(frozen=True, slots=True)
class Shortened:
    """What is left of a request, and what was taken out of it: turns of a chat, or pictures."""

    call: Call
    cut: Cut


class Refusals:
    """The forms of refusal that the operator has chosen, in general and for single policies."""

    def __init__(self, settings: Settings) -> None:
        self._refusal = settings.refusal
        self._most_tokens = settings.limits.screening_tokens
        self._pictures = {policy.name: policy.pictures for policy in settings.policies}
        self._forms = {policy.name: policy.refusal for policy in settings.policies}

    def reply(self, protocol: WireProtocol, call: Call, verdict: Verdict) -> Reply:
        """A refusal in the form that the deciding policy, or else the operator, has chosen."""
        if self._form(verdict) == "error" or call.upstream_path not in GENERATING:
            body = protocol.filtered_body(call)
            return Reply(400, serialise(body), action=Action.BLOCK.label)
        if call.stream:
            events = b"".join(protocol.refusal_events(call, self._refusal.text))
            return Reply(200, events, EVENTS, action=Action.BLOCK.label)
        body = protocol.refusal(call, self._refusal.text)
        return Reply(200, serialise(body), action=Action.BLOCK.label)

    def without_pictures(self, call: Call, verdict: Verdict) -> Shortened | None:
        """The request without the pictures whose text alone is blocked; None where something else
        is, or a policy that blocks them wants it refused."""
        asking = verdict.asking(Action.BLOCK)
        chosen = {self._pictures.get(finding.policy.partition("@")[0]) for finding in asking}
        if None in chosen or not asking or any(finding.failed for finding in asking):
            return None
        places = places_of(call)
        blocked = set(verdict.items(Action.BLOCK))
        paths = [path for path, items in places.items() if blocked.intersection(items)]
        if not blocked <= {index for path in paths for index in places[path]}:
            return None
        cut = Cut(0, noted=chosen != {"blank"}, findings=asking, pictures=len(paths))
        return Shortened(without_pictures(call, paths, blank=chosen == {"blank"}), cut)

    def shortened(self, call: Call, verdict: Verdict, *, again: bool) -> Shortened | None:
        """The request without the earlier turns that are blocked, answers and all; None where it
        must be refused: something else is blocked too, or the operator wants it so.

        Asked `again` about what is left, it puts no note anywhere: the note may be what fired.
        """
        history = self._history(verdict)
        if history == "refuse" or verdict.action is not Action.BLOCK or MESSAGES not in call.body:
            return None
        turns: list[Turn] | None = turns_of(call, verdict.items(Action.BLOCK))
        if not turns:
            return None
        note = self._refusal.note if history == "note" and not again else None
        cut = Cut(len(turns), note is not None, verdict.asking(Action.BLOCK))
        return Shortened(without_turns(call, turns, note), cut)

    def unjudged(self, verdict: Verdict) -> ClientVisibleError:
        """The error for a request in which nothing was found, and which was not judged."""
        if verdict.failure == "over_budget" and verdict.cause is not None:
            return BudgetError(verdict.cause.priced, self._most_tokens)
        return ScreeningError(verdict.failure or "failed")

    def _form(self, verdict: Verdict) -> Literal["error", "message"]:
        cause = verdict.cause
        own = self._forms.get(cause.policy.partition("@")[0]) if cause else None
        return own or self._refusal.form

    def _history(self, verdict: Verdict) -> Literal["cut", "note", "refuse"]:
        """Where refusals are answers a client keeps them and goes on, so the turn is cut."""
        if self._refusal.history is not None:
            return self._refusal.history
        return "cut" if self._form(verdict) == "message" else "refuse"
