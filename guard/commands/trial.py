"""Command `ecoguard try`: what each policy says of a text or a request, and why."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from guard.commands.options import CONFIG, ConfigFile
from guard.terms.errors import ConfigError, RequestError

if TYPE_CHECKING:
    from guard.gateway.trial import Tried
    from guard.screening.explanation import Window
    from guard.settings import Settings
    from guard.terms.verdict import Finding

SHOWN = 240
"""Characters of a window that are shown."""


def try_text(
    text: Annotated[
        str | None, typer.Argument(help="A user's message; without it, standard input.")
    ] = None,
    request: Annotated[
        Path | None,
        typer.Option(help="A file with a request's JSON body instead; `-` is standard input."),
    ] = None,
    route: Annotated[
        str, typer.Option(help="The route that the request is for.")
    ] = "/v1/chat/completions",
    model: Annotated[
        str | None, typer.Option(help="The model's name, where several are configured.")
    ] = None,
    key: Annotated[str, typer.Option(help="Name of the API key that would ask.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigFile = CONFIG,
) -> None:
    """Say what each policy makes of a text, and which window of it scored highest.

    Judged as the proxy judges prompts, with its configuration and artifacts; no server runs and no
    model is asked. Recorded nowhere.
    """
    from guard.gateway.loading import load_resources
    from guard.gateway.trial import run_trial
    from guard.settings import load, placing
    from guard.wire.protocols import make_protocols
    from guard.wire.responses.store import ResponseStore

    settings = _without_secrets(load(config))
    protocol = make_protocols(ResponseStore()).get(route)
    if protocol is None:
        raise ConfigError(f"--route: '{route}' is no screened route")
    _check_key(settings, key)
    body = _body(text, request, model)
    with placing(config):
        resources = load_resources(settings)
    try:
        tried = run_trial(settings, resources, protocol, body, key)
    except RequestError as error:
        place = f"{error.param}: " if error.param else ""
        raise ConfigError(f"the proxy refuses this request: {place}{error.message}") from error
    typer.echo(orjson.dumps(described(tried)) if as_json else "\n".join(lines(tried)))


def _without_secrets(settings: "Settings") -> "Settings":
    """The model server is not asked, so its key need not be at hand."""
    upstream = settings.upstream.model_copy(update={"api_key_env": None})
    return settings.model_copy(update={"upstream": upstream})


def _check_key(settings: "Settings", key: str) -> None:
    from guard.settings.problems import suggestion

    known = [one.name for one in settings.keys]
    if key and key not in known:
        raise ConfigError(f"--key: no key '{key}'{suggestion(key, known)}")


def _body(text: str | None, request: Path | None, model: str | None) -> dict[str, Any]:
    if request is None:
        said = sys.stdin.read() if text in (None, "-") else text
        body: Any = {"messages": [{"role": "user", "content": said}]}
    elif text is not None:
        raise ConfigError("give a text or --request, not both")
    else:
        body = _read(request)
    return body if model is None else {**body, "model": model}


def _read(file: Path) -> dict[str, Any]:
    try:
        body = orjson.loads(sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes())
    except OSError as error:
        raise ConfigError(f"--request: {error.strerror}: {file}") from error
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"--request: {file}: no JSON: {error}") from error
    if not isinstance(body, dict):
        raise ConfigError(f"--request: {file}: must be a JSON object, the body of a request")
    return body


def lines(tried: "Tried") -> list[str]:
    """For people: the verdict first, then a policy a line and its window below."""
    verdict = tried.verdict
    if not tried.findings:
        return ["allow: no policy is for this request"]
    shadow = f" ({verdict.would.label} if policies in shadow acted)"
    told = [verdict.label + (shadow if verdict.would != verdict.action else "")]
    for finding, window in tried.findings:
        told.append(f"  {_sentence(finding)}")
        if window is not None and (finding.items or window.score > 0):
            places = ", ".join(tried.call.items[index].param for index in finding.items[:3])
            at = f"{places}: " if places else ""
            told.append(f"      {at}{_quoted(window.text)}")
            told += [f"      found: {_quoted(window.text[a:b])}" for a, b in window.spans[:5]]
    return told


def _sentence(finding: "Finding") -> str:
    shadow = " in shadow" if finding.shadow else ""
    name = f"{finding.policy} ({finding.detector}{shadow})"
    if finding.failed:
        return f"{name}: could not judge ({finding.failure}) -> {finding.action.label}"
    sign = ">=" if finding.items else "<"
    told = f"{name}: {finding.score:.4f} {sign} {finding.threshold:.4f}"
    about = f", about {', '.join(finding.subjects)}" if finding.subjects else ""
    usual = "" if finding.p_benign is None else f", harmless texts as high: {finding.p_benign:.4f}"
    return f"{told} -> {finding.action.label}{about}{usual}"


def _quoted(text: str) -> str:
    """In one line, without what a terminal would obey, and not too long."""
    if len(text) > SHOWN:
        text = f"{text[: SHOWN // 2]} … {text[-SHOWN // 2 :]}"
    return orjson.dumps(text).decode()


def described(tried: "Tried") -> dict[str, Any]:
    """For programs."""
    return {
        "action": tried.verdict.label,
        "with_shadow": tried.verdict.would.label,
        "policies": [_described(tried, *one) for one in tried.findings],
    }


def _described(tried: "Tried", finding: "Finding", window: "Window | None") -> dict[str, Any]:
    spans = window.spans if window else ()
    return {
        "policy": finding.policy,
        "detector": finding.detector,
        "shadow": finding.shadow,
        "action": finding.action.label,
        "score": finding.score,
        "threshold": finding.threshold,
        "p_benign": finding.p_benign,
        "p_malicious": finding.p_malicious,
        "failure": finding.failure,
        "subjects": list(finding.subjects),
        "places": [tried.call.items[index].param for index in finding.items],
        "window": window and {"text": window.text, "score": window.score, "spans": spans},
    }
