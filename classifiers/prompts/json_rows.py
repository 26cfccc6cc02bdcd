"""Rows of JSON Lines files, plain or gzipped, checked against a model of their columns."""

import gzip
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from guard.terms.errors import ConfigError

Row = TypeVar("Row", bound=BaseModel)


def read_json_rows(file: Path, model: type[Row]) -> tuple[Row, ...]:
    """All rows, in file order; empty lines do not count.

    Raises ConfigError naming file, line and field, and where there is no row.
    """
    lines = enumerate(read_bytes(file).split(b"\n"), start=1)
    found = tuple(_row(f"{file}:{number}", line, model) for number, line in lines if line.strip())
    if not found:
        raise ConfigError(f"{file}: holds no rows")
    return found


def read_bytes(file: Path) -> bytes:
    """The content of a file, unpacked where its name ends in `.gz`; ConfigError naming it."""
    try:
        content = file.read_bytes()
        return gzip.decompress(content) if file.suffix == ".gz" else content
    except (OSError, EOFError) as error:
        raise ConfigError(f"{file}: {getattr(error, 'strerror', None) or error}") from error


def _row(place: str, line: bytes, model: type[Row]) -> Row:
    try:
        return model.model_validate_json(line)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, problem["loc"]))
        raise ConfigError(f"{place}: {f'{field}: ' if field else ''}{problem['msg']}") from None
