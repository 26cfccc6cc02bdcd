"""`/v1/responses/{id}`: read, delete and cancel the answers that the guard itself keeps."""

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from guard.gateway.service import Current
from guard.server.closed_routes import error_response
from guard.server.headers import latin_headers
from guard.terms.errors import RequestError
from guard.terms.json import JsonObject
from guard.wire.json_body import serialise
from guard.wire.responses.store import ResponseStore


def stored_responses_router(store: ResponseStore, current: Current) -> APIRouter:
    """The router; a key sees the responses that were stored with it, nobody else's."""
    router = APIRouter()

    def answered(
        request: Request, act: Callable[[str, str], JsonObject], response_id: str
    ) -> Response:
        try:
            key = current.service.keyring.admit(latin_headers(request.scope), "inference")
            body = act(key.name if key else "", response_id)
        except RequestError as error:
            return error_response(error, error.status)
        return Response(serialise(body), media_type="application/json")

    @router.get("/v1/responses/{response_id}")
    async def read(request: Request, response_id: str) -> Response:
        return answered(request, store.get, response_id)

    @router.delete("/v1/responses/{response_id}")
    async def delete(request: Request, response_id: str) -> Response:
        return answered(request, store.delete, response_id)

    @router.post("/v1/responses/{response_id}/cancel")
    async def cancel(request: Request, response_id: str) -> Response:
        return answered(request, store.cancel, response_id)

    return router
