"""Kubernetes' own schemas, strict: the package's files, read once; its function reads them anew.

Its `validate` takes 0.15 s a manifest, nearly all of it for reading.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
from referencing import Registry, Resource

FOLDER = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
OLDEST, NEWEST = "1.28.0", str(kubernetes_validate.latest_version())


def complaints(manifest: dict[str, Any], version: str) -> list[str]:
    """What is wrong with a manifest, by the schema of its kind; unknown fields are wrong too."""
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", manifest["apiVersion"])
    validator = _validator(version, f"{manifest['kind'].lower()}-{group}")
    errors = validator.iter_errors(manifest)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]


@cache
def _validator(version: str, name: str) -> Any:
    schema = _read(version, name)
    registry = Resource.from_contents(schema) @ _definitions(version)
    return jsonschema.Draft202012Validator(schema, registry=registry)


@cache
def _definitions(version: str) -> Registry[Any]:
    return (Resource.from_contents(_read(version, "_definitions")) @ Registry[Any]()).crawl()


def _read(version: str, name: str) -> Any:
    file = FOLDER / f"v{version}-local-strict" / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8"))
