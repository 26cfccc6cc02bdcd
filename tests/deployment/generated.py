"""Files of deploy/ that are made from others: python -m tests.deployment.generated"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.deployment import dashboards
from tests.source_tree import ROOT

OBSERVABILITY = ROOT / "deploy" / "observability"
KUBERNETES = ROOT / "deploy" / "kubernetes"
CHART = ROOT / "deploy" / "helm" / "ecoguard"
CHART_FILES = CHART / "files"
TRAINING = KUBERNETES / "components" / "training"
# A chart can only read what lies inside it.
COPIED = (
    OBSERVABILITY / "alerts.yaml",
    TRAINING / "train.sh",
    KUBERNETES / "components" / "artifact-download" / "fetch_artifact.py",
)


def prometheus_rule() -> str:
    """The alert rules as the Prometheus operator takes them."""
    rules = yaml.safe_load((OBSERVABILITY / "alerts.yaml").read_text(encoding="utf-8"))
    manifest = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "ecoguard", "labels": {"app.kubernetes.io/name": "ecoguard"}},
        "spec": rules,
    }
    header = "# Made from alerts.yaml: python -m tests.deployment.generated\n"
    return header + yaml.safe_dump(manifest, sort_keys=False, width=100)


# Values that hold whatever Kubernetes, or the proxy, takes there.
FREE = {
    *("config", "resources", "strategy", "startupProbe", "livenessProbe", "readinessProbe"),
    *("labels", "recipe"),
}
CHOICES: Mapping[str, list[str]] = {
    "autoscaling.metric": ["cpu", "inFlight"],
    "service.type": ["ClusterIP", "NodePort", "LoadBalancer"],
    "image.pullPolicy": ["Always", "IfNotPresent", "Never"],
    "vllm.image.pullPolicy": ["Always", "IfNotPresent", "Never"],
    "training.image.pullPolicy": ["Always", "IfNotPresent", "Never"],
}
PATTERNS: Mapping[str, str] = {"artifactDownload.sha256": "^([0-9a-f]{64})?$"}
TYPES = {bool: "boolean", int: "integer", str: "string", list: "array"}


def schema_of(value: Any, path: str = "") -> dict[str, Any]:
    """The JSON schema of values like these: the same keys, the same types, nothing else."""
    if path in CHOICES:
        return {"enum": CHOICES[path]}
    if path in PATTERNS:
        return {"type": "string", "pattern": PATTERNS[path]}
    if not isinstance(value, dict):
        return {"type": TYPES[type(value)]}
    if not value or path.rpartition(".")[2] in FREE:
        return {"type": "object"}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            key: schema_of(inner, f"{path}.{key}" if path else key) for key, inner in value.items()
        },
    }


def values_schema() -> str:
    """The schema that Helm holds an operator's values against."""
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    schema = {
        "$schema": "https://json-schema.org/draft-07/schema#",
        "title": "Values of the chart ecoguard",
        **schema_of(values),
    }
    schema["properties"]["global"] = {"type": "object"}  # Helm's own
    return json.dumps(schema, indent=2) + "\n"


def files() -> Mapping[Path, str]:
    """Every generated file and what belongs in it."""
    shown = {f"{uid}.json": dashboards.text(uid) for uid in dashboards.DASHBOARDS}
    return {
        OBSERVABILITY / "prometheusrule.yaml": prometheus_rule(),
        CHART / "values.schema.json": values_schema(),
        **{OBSERVABILITY / "dashboards" / name: text for name, text in shown.items()},
        **{CHART_FILES / "dashboards" / name: text for name, text in shown.items()},
        **{CHART_FILES / file.name: file.read_text(encoding="utf-8") for file in COPIED},
    }


def write() -> None:
    """Write them all."""
    for file, text in files().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
