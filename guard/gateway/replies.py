"""The model server's reply as the client gets it: judged where policies judge answers, in the
client's protocol."""

from guard.answers.answers import Answers
from guard.answers.asking_again import AskAgain
from guard.answers.guarded_answer import GuardedAnswer
from guard.answers.guarded_stream import GuardedStream
from guard.answers.whole_answer import judged_body
from guard.corruption.rewriting import GENERATING
from guard.gateway.client import EVENTS, JSON, Client, Reply
from guard.gateway.upstream_errors import error_of
from guard.recognition.answers import AnswerListener
from guard.recognition.authorship import Authorship
from guard.screening.selection import PolicyTable
from guard.terms.errors import UpstreamError
from guard.terms.item import Call
from guard.terms.verdict import Action, Verdict
from guard.upstream.client import UpstreamReply
from guard.upstream.relay import NeutralErrors, relay_events
from guard.wire.json_body import serialise
from guard.wire.protocol import WireProtocol


class Replies:
    """Turns what the model server says into replies."""

    def __init__(self, answers: Answers, authorship: Authorship, table: PolicyTable) -> None:
        self._answers = answers
        self._authorship = authorship
        self._table = table

    async def relayed(
        self,
        protocol: WireProtocol,
        call: Call,
        reply: UpstreamReply,
        action: Action,
        client: Client,
        *,
        embedded: bool,
        again: AskAgain | None = None,
    ) -> Reply:
        """The reply to a call that went upstream, `embedded` where it went as embeddings; `again`
        asks anew with the question corrupted.

        Raises UpstreamError for what is no answer, and ScreeningError where a policy that must
        judge it cannot.
        """
        if reply.status != 200:
            error = await error_of(call, reply, embedded=embedded)
            return Reply(error.status, serialise(protocol.error_body(error)), action=action.label)
        self._authorship.passed_on(call, client.owner)
        guarded = self._guard(protocol, call, client, again)
        if reply.content_type == "text/event-stream":
            translator = protocol.event_translator(call)
            if translator is None and (embedded or (guarded and again)):
                translator = NeutralErrors(protocol)
            chunks = reply.chunks()
            if guarded:
                chunks = GuardedStream(guarded).events(chunks)
            listener = self._listener(protocol, call, client)
            events = relay_events(chunks, translator, protocol, listener)
            return Reply(200, events, EVENTS, action=action.label)
        body = await reply.body()
        if reply.content_type != JSON or not (body[:1] == b"{" and body.rstrip()[-1:] == b"}"):
            reply.note("unreadable")
            raise UpstreamError("The model server sent an unreadable answer")
        if guarded:
            body, verdict = await _judged(guarded, body, reply)
            action = max(action, verdict.action)
        if listener := self._listener(protocol, call, client):
            listener.whole(body)
        return Reply(200, protocol.translate(call, body), action=action.label)

    def _guard(
        self, protocol: WireProtocol, call: Call, client: Client, again: AskAgain | None
    ) -> GuardedAnswer | None:
        if call.upstream_path not in GENERATING:
            return None
        selection = self._table.select(client.owner, protocol.route, call.model)
        return self._answers.guard(call, selection.of("answer"), client.owner, client, again)

    def _listener(
        self, protocol: WireProtocol, call: Call, client: Client
    ) -> AnswerListener | None:
        """What remembers the answer; without policies nobody asks whose words it was."""
        answers = self._authorship.answers
        selection = self._table.select(client.owner, protocol.route, call.model)
        if answers is None or not selection.policies:
            return None
        return answers.listener(call, client.owner)


async def _judged(
    guarded: GuardedAnswer, body: bytes, reply: UpstreamReply
) -> tuple[bytes, Verdict]:
    try:
        return await judged_body(guarded, body)
    except ValueError:
        reply.note("unreadable")
    raise UpstreamError("The model server sent an unreadable answer")
