"""From the YAML file to settings, with errors that name file and key."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import yaml
from pydantic import TypeAdapter, ValidationError

from guard.settings.configuration import Settings
from guard.settings.keys import Key
from guard.settings.places import Places
from guard.settings.sections import Section
from guard.terms.errors import ConfigError


def load(file: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the YAML file; relative paths in it are relative to the file.

    `ECOGUARD_LISTEN_HOST`, `ECOGUARD_LISTEN_PORT` and `ECOGUARD_UPSTREAM_URL` override the file,
    `ECOGUARD_KEYS_FILE` its `keys_file`.
    Raises ConfigError naming the file and the key.
    """
    content = _read(file)
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: the top level must be a mapping")
    _override(content, os.environ if environment is None else environment)
    _add_keys(content, file.resolve().parent)
    try:
        settings = Settings.model_validate(content)
    except ValidationError as error:
        raise ConfigError(_explain(file, error)) from error
    return _anchored(settings, file.resolve().parent)


def secret(variable: str, environment: Mapping[str, str] | None = None) -> str:
    """The value of a secret's environment variable; ConfigError naming it when unset."""
    value = (os.environ if environment is None else environment).get(variable)
    if not value:
        raise ConfigError(f"the environment variable {variable} is not set")
    return value


def _read(file: Path) -> object:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{file}: {_said(error)}") from error


def _add_keys(content: dict[str, object], folder: Path) -> None:
    """Add the keys of `keys_file`, a list like `keys`, checked by themselves: errors name it."""
    name, own = content.get("keys_file"), content.get("keys") or []
    if not isinstance(name, str) or not isinstance(own, list):
        return  # absent, or wrong: that is said later
    file = folder / name
    keys = _read(file)
    try:
        TypeAdapter(list[Key]).validate_python(keys)
    except ValidationError as error:
        raise ConfigError(_explain(file, error)) from error
    content["keys"] = [*own, *cast("list[object]", keys)]


def _override(content: dict[str, object], environment: Mapping[str, str]) -> None:
    if keys_file := environment.get("ECOGUARD_KEYS_FILE"):
        content["keys_file"] = keys_file
    for variable, section, key in (
        ("ECOGUARD_LISTEN_HOST", "listen", "host"),
        ("ECOGUARD_LISTEN_PORT", "listen", "port"),
        ("ECOGUARD_UPSTREAM_URL", "upstream", "url"),
    ):
        if variable in environment:
            part = content.setdefault(section, {})
            if isinstance(part, dict):
                part[key] = environment[variable]
                if section == "upstream":
                    part.pop("urls", None)


def _explain(file: Path, error: ValidationError) -> str:
    """Every problem on a line of its own: file and line, key, what is wrong; never the value."""
    places = Places(file.read_text(encoding="utf-8"))
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        key = ".".join(str(step) for step in problem["loc"])
        message = problem["msg"].replace("Value error, ", "")
        line = places.line(problem["loc"], message)
        place = f"{file}:{line}" if line else str(file)
        lines.append(f"{place}: {key + ': ' if key else ''}{message}")
    return "\n".join(lines)


def _said(error: Exception) -> str:
    """On one line; YAML's own words name line and column."""
    text = error.strerror or "" if isinstance(error, OSError) else str(error)
    return " ".join(text.split())


def _anchored(settings: Settings, folder: Path) -> Settings:
    """The settings with relative paths made absolute against the file's folder."""

    def anchor(source: Section) -> Section:
        path, canary = getattr(source, "path", None), getattr(source, "canary", None)
        paths = {"path": folder / path} if path else {}
        inner = {"canary": anchor(canary)} if canary else {}
        return source.model_copy(update={**paths, **inner})

    listen, upstream = settings.listen, settings.upstream
    tls = listen.tls.anchored(folder) if listen.tls else None
    return settings.model_copy(
        update={
            "listen": listen.model_copy(update={"tls": tls}),
            "upstream": upstream.model_copy(update={"tls": upstream.tls.anchored(folder)}),
            "models": {name: anchor(model) for name, model in settings.models.items()},
            "encoder": anchor(settings.encoder) if settings.encoder else None,
            "detectors": {name: anchor(source) for name, source in settings.detectors.items()},
            "redis": settings.redis.anchored(folder) if settings.redis else None,
            "corruption": anchor(settings.corruption),
            "store": settings.store.anchored(folder) if settings.store else None,
        }
    )
