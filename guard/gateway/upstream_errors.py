"""What the client is told of a model server's error, and what the operator is."""

from guard.terms.errors import ClientVisibleError, RequestError, UpstreamError
from guard.terms.item import Call
from guard.upstream.client import UpstreamReply
from guard.wire import envelopes

_NEUTRAL_ERROR = "The model server refused the request"


async def error_of(call: Call, reply: UpstreamReply, *, embedded: bool) -> ClientVisibleError:
    """The model server's own error, so that a corrupted request's is like any other's.

    One that speaks of embeddings is said in neutral words: clients send none. `reply` is the
    answer to `call`, with a status other than 200.
    """
    body = await reply.body()
    if not 400 <= reply.status < 500 or reply.status in (401, 403):
        # Its 401 means that our key is wrong, not the client's; a redirect is not followed.
        return UpstreamError("The model server failed")
    if reply.status == 404 and envelopes.names_no_route(body):
        return _without_route(call, reply)
    error = envelopes.read_error(body, reply.status)
    if embedded and "embed" in f"{error.message} {error.param}".lower():
        return RequestError(_NEUTRAL_ERROR, status=reply.status)
    return error


def _without_route(call: Call, reply: UpstreamReply) -> ClientVisibleError:
    """A model server has the routes that its model can serve: a chat model gives no embeddings."""
    if call.upstream_path == "/v1/embeddings":
        said = "The model does not give embeddings"
        return RequestError(said, param="model", code="unsupported_model")
    reply.note("no_route")
    return UpstreamError("The model server does not have this route")
