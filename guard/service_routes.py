"""Routes beside the guarded ones: models, health, metrics."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Request, Response

from guard import __version__
from guard.closed_routes import error_response
from guard.errors import RequestError, UpstreamError
from guard.headers import latin_headers
from guard.operations.metrics import Metrics
from guard.service import Current, Service
from guard.wire.json_body import serialise

EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


def service_router(current: Current, metrics: Metrics) -> APIRouter:
    """The router; health and metrics need no key, models need one where keys are configured."""
    router = APIRouter()

    def admitted(request: Request) -> RequestError | None:
        try:
            current.service.keyring.admit(latin_headers(request.scope), "inference")
        except RequestError as error:
            return error
        return None

    @router.get("/v1/models")
    async def models(refused: Annotated[RequestError | None, Depends(admitted)]) -> Response:
        if refused:
            return error_response(refused, refused.status)
        with current.use() as service:
            return await _models(service)

    @router.get("/version")
    async def version() -> dict[str, str]:
        return {"version": __version__}

    @router.get("/livez")
    async def livez() -> Response:
        return Response(status_code=200)

    @router.get("/readyz")
    @router.get("/health")
    async def readyz() -> Response:
        """Ready when artifacts are loaded (or start-up had failed) and the model server is up."""
        with current.use() as service:
            return Response(status_code=200 if await service.upstream.healthy() else 503)

    @router.get("/metrics")
    async def exposition() -> Response:
        return Response(metrics.text(), media_type=EXPOSITION)

    return router


async def _models(service: Service) -> Response:
    """The model server's list, less the models that are not configured and what betrays paths."""
    try:
        async with service.upstream.send("GET", "/v1/models") as reply:
            listed = orjson.loads(await reply.body())
            status = reply.status
        cards = [_card(card) for card in listed["data"]]
    except UpstreamError as error:
        return error_response(error, error.status)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return error_response(UpstreamError("The model server sent an unreadable answer"), 502)
    known = service.settings.models
    served = [card for card in cards if not known or card.get("id") in known]
    body: dict[str, object] = {"object": "list", "data": served}
    return Response(serialise(body), status, media_type="application/json")


def _card(card: dict[str, object]) -> dict[str, object]:
    """A model's card without the server's folder names."""
    return {name: value for name, value in card.items() if name not in ("root", "parent")}
