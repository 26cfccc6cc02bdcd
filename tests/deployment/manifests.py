"""Every rendering of deploy/ that the tests look at, by the programs that operators use."""

import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.deployment.programs import helm, kubectl
from tests.source_tree import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
CHART = ROOT / "deploy" / "helm" / "ecoguard"
OVERLAYS = ("base", "overlays/cpu-demo", "overlays/gpu", "everything")
EVERYTHING = (
    *("training.enabled=true", "training.promote=true", "corruption.enabled=true"),
    *("serviceMonitor.enabled=true", "prometheusRule.enabled=true", "dashboards.enabled=true"),
    *("ingress.enabled=true", "ingress.className=nginx", "ingress.tlsSecret=tls"),
    *("artifactDownload.enabled=true", "artifactDownload.url=https://store.example.com/a.tar.gz"),
    *("autoscaling.metric=inFlight", "fullnameOverride=llm", "podLabels.team=safety"),
)
CHARTS: Mapping[str, tuple[str, ...]] = {
    "defaults": (),
    "everything": EVERYTHING,
    "guard only": (
        *("vllm.enabled=false", "config.upstream.url=http://vllm.other:8000"),
        *("autoscaling.enabled=false", "podDisruptionBudget.enabled=false"),
        *("networkPolicy.enabled=false", "config.store=null"),
    ),
}
RENDERINGS = (*(f"kustomize {name}" for name in OVERLAYS), *(f"helm {name}" for name in CHARTS))

Manifest = dict[str, Any]


@cache
def rendered(name: str) -> tuple[Manifest, ...]:
    """The manifests of a rendering."""
    engine, _, variant = name.partition(" ")
    text = _kustomized(variant) if engine == "kustomize" else _charted(CHARTS[variant])
    return tuple(manifest for manifest in yaml.safe_load_all(text) if manifest)


def _kustomized(variant: str) -> str:
    if variant == "everything":
        folder = ROOT / "tests" / "deployment" / "everything"
    else:
        folder = KUBERNETES / variant
    return _output(kubectl(), "kustomize", folder)


def _charted(values: tuple[str, ...]) -> str:
    settings = [part for value in values for part in ("--set", value)]
    return _output(helm(), "template", "ecoguard", CHART, "--namespace", "ecoguard", *settings)


def _output(program: Path, *arguments: str | Path) -> str:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def of_kind(name: str, kind: str) -> list[Manifest]:
    """The manifests of one kind in a rendering."""
    return [manifest for manifest in rendered(name) if manifest["kind"] == kind]


def pods(name: str) -> Iterator[tuple[str, Manifest, Manifest]]:
    """The name of each workload, its pods' metadata and their spec."""
    for manifest in rendered(name):
        spec = manifest.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template:
            yield manifest["metadata"]["name"], template["metadata"], template["spec"]


def containers(pod: Manifest) -> list[Manifest]:
    """All containers of a pod, those that start it too."""
    return [*pod.get("initContainers", []), *pod["containers"]]


def guard_pod(name: str) -> Manifest:
    """The proxy's pod."""
    (found,) = (pod for _, _, pod in pods(name) if pod["containers"][0]["name"] == "ecoguard")
    return found


def guard_config(name: str) -> str:
    """The guard.yaml that the proxy's pod mounts."""
    volumes = {volume["name"]: volume for volume in guard_pod(name)["volumes"]}
    source = volumes["config"]["configMap"]["name"]
    (found,) = (m for m in of_kind(name, "ConfigMap") if m["metadata"]["name"] == source)
    text: str = found["data"]["guard.yaml"]
    return text
