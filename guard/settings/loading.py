"""From the YAML file to settings, with errors that name file, line and key."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from guard.settings.configuration import Settings
from guard.settings.problems import explain
from guard.settings.source import Source
from guard.terms.errors import ConfigError, GuardError, KeyedError, about


def load(file: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the YAML file; relative paths in it are relative to the file.

    `ECOGUARD_LISTEN_HOST`, `ECOGUARD_LISTEN_PORT` and `ECOGUARD_UPSTREAM_URL` override the file,
    `ECOGUARD_KEYS_FILE` its `keys_file`.
    Raises ConfigError: every problem on a line of its own, with file, line and key.
    """
    source = Source.read(file, environment)
    try:
        return Settings.model_validate(source.content, context={"folder": source.folder})
    except ValidationError as error:
        raise ConfigError(explain(error, Settings, source)) from error


@contextmanager
def placing(file: Path) -> Iterator[None]:
    """Errors about a key of the configuration, raised in the block, name its file and line."""
    try:
        yield
    except KeyedError as error:
        if error.key and not error.place:
            error.place = _place(file, error)
        raise


def _place(file: Path, error: KeyedError) -> str:
    try:
        return Source.read(file).place(error.key)
    except GuardError:  # the file has changed since it was read
        return str(file)


def configured_secret(variable: str | None, *key: str) -> str | None:
    """The secret in the variable that stands at `key`, None where none stands there; ConfigError
    about that key."""
    if variable is None:
        return None
    with about(*key):
        return secret(variable)


def secret(variable: str, environment: Mapping[str, str] | None = None) -> str:
    """The value of a secret's environment variable; ConfigError naming it when unset."""
    value = (os.environ if environment is None else environment).get(variable)
    if not value:
        raise ConfigError(f"the environment variable {variable} is not set")
    return value
