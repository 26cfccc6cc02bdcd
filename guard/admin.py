"""`/v1/guard/admin/…`: what is in service, and reloading it. For keys with the scope `admin`."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response

from guard.closed_routes import error_response
from guard.errors import ClientVisibleError, GuardError, RequestError
from guard.headers import latin_headers
from guard.reload import Reloader
from guard.service import Current, Service
from guard.wire.fields import JsonObject
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

    async def now() -> Service:
        return current.service

    async def reloaded() -> Service:
        if reloader is None:
            raise RequestError("No configuration file to reload", status=409, code="reload_refused")
        return await reloader.reload()

    @router.get("/status")
    async def status(request: Request) -> Response:
        return await answered(request, now)

    @router.post("/reload")
    async def reload(request: Request) -> Response:
        return await answered(request, reloaded)

    return router


def _described(service: Service) -> JsonObject:
    settings = service.settings
    return {
        "policies": [
            policy.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
            for policy in settings.policies
        ],
        "artifacts": dict(service.artifacts),
    }
