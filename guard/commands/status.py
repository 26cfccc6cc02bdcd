"""Command `ecoguard status`: how a running proxy is, in its own words."""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from guard.commands.options import CONFIG, ConfigFile
from guard.terms.errors import ConfigError

if TYPE_CHECKING:
    from guard.observability.exposition import Series
    from guard.settings import Settings

KEY_VARIABLE = "ECOGUARD_ADMIN_KEY"
TIMEOUT_S = 10.0
Get = Callable[[str], tuple[int, bytes]]


def status(
    url: Annotated[
        str | None, typer.Option(help="The proxy's address; without it, what --config listens on.")
    ] = None,
    key_env: Annotated[
        str, typer.Option(help="The variable with an API key of scope `admin`, for the policies.")
    ] = KEY_VARIABLE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigFile = CONFIG,
) -> None:
    """Ask a running proxy how it is; exit status 1 where it is not ready.

    Reads `/readyz` and `/metrics`, and with a key of scope `admin` what is in service.
    """
    from guard.settings import load

    address = url or listening(load(config))
    found = asked(_client(address, os.environ.get(key_env)))
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    else:
        typer.echo(address)
        for line in lines(found, key_env):
            typer.echo(f"  {line}")
    if not found["ready"]:
        raise typer.Exit(1)


def listening(settings: "Settings") -> str:
    """Where a proxy with these settings is reached from its own machine."""
    listen = settings.listen
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)  # noqa: S104
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if listen.tls else 'http'}://{shown}:{listen.port}"


def _client(url: str, key: str | None) -> Get:
    from urllib3 import PoolManager, Timeout
    from urllib3.exceptions import HTTPError

    pool = PoolManager(retries=False, timeout=Timeout(TIMEOUT_S))
    headers = {"authorization": f"Bearer {key}"} if key else {}

    def get(path: str) -> tuple[int, bytes]:
        try:
            answer = pool.request("GET", url.rstrip("/") + path, headers=headers, redirect=False)
        except HTTPError as error:
            raise ConfigError(f"{url}: no proxy answers there ({type(error).__name__})") from error
        return answer.status, answer.data

    return get


def asked(get: Get) -> dict[str, Any]:
    """What the proxy says of itself; `admin` is the status of the answer without a key for it."""
    from guard.observability.exposition import read_series

    status, ready = get("/readyz")
    series = read_series(get("/metrics")[1].decode())
    admin, in_service = get("/v1/guard/admin/status")
    told = _json(ready)
    if "ready" not in told:
        raise ConfigError(f"/readyz answered {status}, and not as EcoGuard does")
    return {
        "ready": told["ready"],
        "faults": told["upstream"],
        "version": next((labels["version"] for labels, _ in series["ecoguard_build_info"]), None),
        "servers": {one["upstream"]: up == 1 for one, up in series["ecoguard_upstream_up"]},
        "in_flight": _sum(series, "ecoguard_in_flight_requests"),
        "store": {
            "up": _sum(series, "ecoguard_store_up") > 0,
            "waiting": _sum(series, "ecoguard_store_queue_records"),
            "written": _sum(series, "ecoguard_store_written_total"),
            "dropped": _sum(series, "ecoguard_store_dropped_total"),
        },
        "requests": _sum(series, "ecoguard_requests_total"),
        "admin": admin,
        **(_json(in_service) if admin == 200 else {}),
    }


def _sum(series: "Series", name: str) -> int:
    return int(sum(value for _, value in series[name]))


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def lines(found: Mapping[str, Any], key_env: str = KEY_VARIABLE) -> Iterator[str]:
    """For people."""
    yield f"{'ready' if found['ready'] else 'NOT READY'}, version {found['version']}"
    for server, up in found["servers"].items():
        yield f"model server {server}: {'up' if up else 'DOWN'}"
    if found["faults"]:
        yield f"faults of model servers: {', '.join(found['faults'])}"
    yield f"requests: {found['requests']} answered, {found['in_flight']} under way"
    store = found["store"]
    told = (
        f"{store['waiting']} records wait, {store['written']} written, {store['dropped']} dropped"
    )
    if store["up"] or store["waiting"] or store["dropped"]:
        yield f"store: {'up' if store['up'] else 'DOWN'}, {told}"
    if found["admin"] != 200:
        yield f"policies: not told (status {found['admin']}); ${key_env} must hold an admin's key"
        return
    for policy in found["policies"]:
        shadow = " in shadow" if policy.get("shadow") else ""
        yield f"policy {policy['name']}: {policy['detector']} -> {policy['action']}{shadow}"
    for name, digest in found["artifacts"].items():
        yield f"artifact {name}: {digest[:12]}"
