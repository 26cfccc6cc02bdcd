"""YAML files that people write: a mapping, or an error that names the file."""

from pathlib import Path
from typing import Any

import yaml

from guard.terms.errors import ConfigError


def read_mapping(file: Path) -> dict[Any, Any]:
    """The mapping in a YAML file; raises ConfigError where there is none."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{file}: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: the top level must be a mapping")
    return content
