"""What a configuration was read from: its file, its file of keys, and the environment."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from guard.settings.document import Document, Step
from guard.settings.keys import Key
from guard.settings.problems import explain
from guard.terms.errors import ConfigError

# Addresses and the file of keys only, which differ from machine to machine: a variable for every
# key, as pydantic-settings would give it, could switch a policy off where nobody looks.
VARIABLES: Mapping[str, tuple[str, ...]] = {
    "ECOGUARD_LISTEN_HOST": ("listen", "host"),
    "ECOGUARD_LISTEN_PORT": ("listen", "port"),
    "ECOGUARD_UPSTREAM_URL": ("upstream", "url"),
    "ECOGUARD_KEYS_FILE": ("keys_file",),
}


class Source:
    """The content of a configuration before it is checked, and where each key of it was written."""

    def __init__(self, document: Document, environment: Mapping[str, str]) -> None:
        """The document's mapping with the environment's values in it, and the keys of
        `keys_file` added to its own; ConfigError where one of the two files is not as it must be.
        """
        self.folder = document.file.resolve().parent
        self.content = document.mapping()
        self._document = document
        self._variables: dict[tuple[Step, ...], str] = {}
        for variable, path in VARIABLES.items():
            if variable in environment:
                self._override(variable, path, environment[variable])
        own_keys = self.content.get("keys")
        self._own_keys = len(own_keys) if isinstance(own_keys, list) else 0
        self._keys = self._add_keys()

    @classmethod
    def read(cls, file: Path, environment: Mapping[str, str] | None = None) -> Self:
        """The source in a file; `environment` is the process' unless given."""
        return cls(Document.read(file), os.environ if environment is None else environment)

    def place(self, path: Sequence[Step]) -> str:
        """File and line of a key, or the environment variable that its value comes from."""
        variable = self._variables.get(tuple(path))
        document, inner = self._holder(path)
        return variable or document.place(inner)

    def named(self, path: Sequence[Step]) -> tuple[Step, ...]:
        """The path with items of lists by their names."""
        document, inner = self._holder(path)
        named = document.named(inner)
        return named if document is self._document else ("keys", *named)

    def _holder(self, path: Sequence[Step]) -> tuple[Document, Sequence[Step]]:
        """The document that a key stands in, and its path there."""
        match path:
            case ("keys", int(place), *rest) if self._keys and place >= self._own_keys:
                return self._keys, (place - self._own_keys, *rest)
        return self._document, path

    def _override(self, variable: str, path: tuple[str, ...], value: str) -> None:
        *sections, key = path
        part: Any = self.content
        for section in sections:
            if part.get(section) is None:
                part[section] = {}
            part = part[section]
        if isinstance(part, dict):  # else: that is said later
            part[key] = value
            self._variables[path] = variable
            if path == ("upstream", "url"):
                part.pop("urls", None)

    def _add_keys(self) -> Document | None:
        """Add the keys of `keys_file`, a list like `keys`; checked here, so that errors name it."""
        name, own = self.content.get("keys_file"), self.content.get("keys") or []
        if not name or not isinstance(name, str) or not isinstance(own, list):
            return None  # absent, or wrong: that is said later
        document = Document.read(self.folder / name)
        try:
            TypeAdapter(list[Key]).validate_python(document.content)
        except ValidationError as error:
            raise ConfigError(explain(error, list[Key], document)) from error
        self.content["keys"] = [*own, *document.content]
        return document
