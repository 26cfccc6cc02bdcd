"""Routes beside the guarded ones: models, health, metrics."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Request, Response

from guard import __version__
from guard.gateway.service import Current, Service
from guard.observability.metrics import Metrics
from guard.server.closed_routes import error_response, not_found
from guard.server.headers import latin_headers
from guard.terms.errors import RequestError, UpstreamError
from guard.wire.json_body import serialise

PROBED = ["GET", "HEAD"]  # some load balancers ask for the head only
# Names of folders on the model server.
FOLDERS = frozenset({"root", "parent", "name_or_path", "tokenizer_file", "vocab_file"})
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

    @router.get("/tokenizer_info")
    async def tokenizer(refused: Annotated[RequestError | None, Depends(admitted)]) -> Response:
        if refused:
            return error_response(refused, refused.status)
        with current.use() as service:
            return await _tokenizer_info(service)

    @router.get("/version")
    async def version() -> dict[str, str]:
        return {"version": __version__}

    @router.api_route("/livez", methods=PROBED)
    async def livez() -> Response:
        return Response(status_code=200)

    @router.api_route("/readyz", methods=PROBED)
    @router.api_route("/health", methods=PROBED)
    async def readyz() -> Response:
        """Ready when artifacts are loaded (or start-up had failed) and a model server is up, takes
        our key and serves a configured model. Says what is wrong in words from a closed set."""
        with current.use() as service:
            conditions = await service.upstream.conditions()
        ready = any(condition.serves for condition in conditions)
        causes = sorted({condition.cause for condition in conditions if condition.cause})
        body = serialise({"ready": ready, "upstream": causes})
        return Response(body, 200 if ready else 503, media_type="application/json")

    @router.get("/metrics")
    async def exposition() -> Response:
        return Response(metrics.text(), media_type=EXPOSITION)

    return router


async def _models(service: Service) -> Response:
    """The model servers' lists, less the models that are not configured and what betrays paths.

    A model with servers of its own is listed as those have it, and missing while they are down.
    """
    known, own = service.settings.models, service.upstream.own_pools
    served: list[dict[str, object]] = []
    failures: list[UpstreamError] = []
    for model in (None, *own):
        try:
            cards = await _cards(service, model)
        except UpstreamError as error:
            failures.append(error)
            continue
        here = known.keys() - own.keys() if model is None else {model}
        served += [card for card in cards if card.get("id") in here or not known]
    if failures and not served:
        return error_response(failures[0], failures[0].status)
    return Response(serialise({"object": "list", "data": served}), media_type="application/json")


async def _tokenizer_info(service: Service) -> Response:
    """What vLLM tells of its tokenizer, where it was started so; evaluations count tokens by it."""
    try:
        async with service.upstream.send("GET", "/tokenizer_info") as reply:
            body = await reply.body()
        if reply.status != 200:
            return not_found()
        told = orjson.loads(body)
        return Response(serialise(_card(told)), media_type="application/json")
    except UpstreamError as error:
        return error_response(error, error.status)
    except (orjson.JSONDecodeError, AttributeError):
        broken = UpstreamError("The model server sent an unreadable answer")
        return error_response(broken, broken.status)


async def _cards(service: Service, model: str | None) -> list[dict[str, object]]:
    """The cards in the list of a server that has `model`."""
    async with service.upstream.send("GET", "/v1/models", model=model) as reply:
        body = await reply.body()
    try:
        return [_card(card) for card in orjson.loads(body)["data"]]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise UpstreamError("The model server sent an unreadable answer") from error


def _card(card: dict[str, object]) -> dict[str, object]:
    """A model's card without the server's folder names."""
    return {name: value for name, value in card.items() if name not in FOLDERS}
