"""Command `ecoguard audit`: answered requests as the store has them, the newest first."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import orjson
import typer

from guard.commands.options import CONFIG, ConfigFile
from guard.commands.store import opened
from guard.terms.errors import ConfigError

AGO = re.compile(r"(\d{1,6})([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def audit(
    request_id: Annotated[
        str | None, typer.Argument(help="The answer's `x-request-id`; without it, all requests.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="Only this API key's, by its name.")] = None,
    action: Annotated[
        str | None, typer.Option(help="Only what ended so: `block`, `corrupt`, `error` …")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Not before: `30m`, `2h`, `7d` ago, or an ISO time (UTC).")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Before; written like `--since`.")] = None,
    most: Annotated[int, typer.Option(min=1, help="The most rows.")] = 50,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print whole rows, one JSON object a line.")
    ] = False,
    config: ConfigFile = CONFIG,
) -> None:
    """Show what was decided of requests and why: never what was asked."""
    from guard.store.audit_rows import AuditQuery

    now = datetime.now(UTC)
    query = AuditQuery(
        request_id, key, action, moment("--since", since, now), moment("--until", until, now)
    )
    count = 0
    with opened(config) as store:
        for row in store.audit(query, most):
            typer.echo(orjson.dumps(row) if as_json else "\n".join(lines(row)))
            count += 1
    if count == most:
        typer.echo(f"the newest {most}; --most shows more", err=True)
    elif not count:
        typer.echo("no such requests", err=True)


def moment(option: str, text: str | None, now: datetime) -> datetime | None:
    """The time that an option names; ConfigError where it is none."""
    if text is None:
        return None
    if ago := AGO.fullmatch(text):
        return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{option}: '{text}' is no time; write 2h or 2026-12-01T08:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def lines(row: Mapping[str, Any]) -> list[str]:
    """A request in one line, and below it each policy that fired or failed."""
    told = [
        f"{row['time']:%Y-%m-%d %H:%M:%S}  {_plain(row['action']):8} {row['status']}  "
        f"{_plain(row['key']) or '-'}  {row['route']}  {_plain(row['model']) or '-'}  "
        f"{row['latency_ms']:.0f} ms  {_plain(row['request_id'])}"
    ]
    return told + [f"    {_finding(one)}" for one in row["findings"] if _is_worth_telling(one)]


def _is_worth_telling(finding: Mapping[str, Any]) -> bool:
    return bool(finding["action"] != "allow" or finding["failed"])


def _finding(finding: Mapping[str, Any]) -> str:
    """A finding of a row; one of an earlier version may lack what was added since."""
    shadow = " in shadow" if finding.get("shadow") else ""
    name = f"{finding['policy']} ({finding['detector']}{shadow}, {finding.get('side', 'prompt')})"
    if finding["failed"]:
        return f"{name}: could not judge ({finding.get('failure')}) -> {finding['action']}"
    about = ", ".join(finding.get("subjects") or ())
    told = f"{name}: {finding['score']:.4f} >= {finding['threshold']:.4f} -> {finding['action']}"
    return f"{told}, about {about}" if about else told


def _plain(text: str) -> str:
    """A client's own words without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
