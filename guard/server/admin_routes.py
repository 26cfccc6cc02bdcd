"""`/v1/guard/admin/…`, for keys with the scope `admin`: reloads, and versions of artifacts."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import APIRouter, Request, Response

from guard.gateway.promotion import Approval, Change, parse_report, promote, roll_back
from guard.gateway.reload import Reloader
from guard.gateway.service import Current, Service
from guard.server.closed_routes import error_response
from guard.server.endpoint import read_body
from guard.server.headers import latin_headers
from guard.settings import Settings
from guard.terms.errors import ClientVisibleError, GuardError, RequestError
from guard.terms.json import JsonObject
from guard.wire.json_body import serialise

Act = Callable[[], Awaitable[Service]]


def admin_router(current: Current, reloader: Reloader | None) -> APIRouter:
    """The router; without a `reloader` the configuration came from no file, and stays."""
    router = APIRouter(prefix="/v1/guard/admin")

    async def answered(request: Request, act: Act) -> Response:
        try:
            current.service.keyring.admit(latin_headers(request.scope), "admin")
            service = await act()
        except ClientVisibleError as error:
            return error_response(error, error.status)
        except GuardError as error:
            refused = RequestError(str(error), status=409, code="reload_refused")
            return error_response(refused, refused.status)
        return Response(serialise(_described(service)), media_type="application/json")

    async def moved(move: Callable[[Settings], Change]) -> Service:
        """After a change of versions; undone where the new one cannot be put in service."""
        if reloader is None:
            raise _no_file()
        change = await asyncio.to_thread(move, current.service.settings)
        try:
            return await reloader.reload_everywhere()
        except GuardError:
            await asyncio.to_thread(change.undo)
            raise

    async def now() -> Service:
        return current.service

    async def reloaded() -> Service:
        if reloader is None:
            raise _no_file()
        return await reloader.reload_everywhere()

    @router.get("/status")
    async def status(request: Request) -> Response:
        return await answered(request, now)

    @router.post("/reload")
    async def reload(request: Request) -> Response:
        return await answered(request, reloaded)

    @router.post("/artifacts/{name}/promote")
    async def promotion(
        request: Request, name: str, version: str | None = None, without_gate: str = ""
    ) -> Response:
        """The body is the gate's report, unless `without_gate` says why there is none."""

        async def act() -> Service:
            approval = await _approval(request, current, without_gate)
            return await moved(partial(promote, name=name, version=version, approval=approval))

        return await answered(request, act)

    @router.post("/artifacts/{name}/rollback")
    async def rollback(request: Request, name: str) -> Response:
        return await answered(request, partial(moved, partial(roll_back, name=name)))

    return router


async def _approval(request: Request, current: Current, reason: str) -> Approval:
    headers = latin_headers(request.scope)
    body = await read_body(request.receive, headers, current.service.limits)
    return Approval(parse_report(body) if body else None, reason)


def _no_file() -> RequestError:
    return RequestError("No configuration file to reload", status=409, code="reload_refused")


def _described(service: Service) -> JsonObject:
    settings = service.settings
    return {
        "policies": [
            policy.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
            for policy in settings.policies
        ],
        "artifacts": dict(service.artifacts),
    }
