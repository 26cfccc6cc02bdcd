"""The chart: Helm's own lint, and the schema that operators' values are held against."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deployment.manifests import CHART, of_kind, rendered
from tests.deployment.programs import helm
from tests.source_tree import ROOT


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([helm(), *arguments], capture_output=True, text=True, check=False)


def test_helm_finds_nothing_to_complain_about() -> None:
    done = run("lint", "--strict", CHART)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("imagee.tag=1", "imagee"),
        ("autoscaling.metric=requests", "metric"),
        ("replicaCount=many", "replicaCount"),
        ("artifactDownload.sha256=abc", "sha256"),
        ("service.type=Everywhere", "type"),
    ],
)
def test_values_that_no_schema_knows_are_refused(value: str, named: str) -> None:
    done = run("template", "ecoguard", CHART, "--set", value)
    assert done.returncode != 0
    assert named in done.stderr


def test_the_chart_is_of_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{chart["appVersion"]}"' in project
    tags = {m["newTag"] for m in _images("base") + _images("components/training")}
    assert chart["appVersion"] in tags


def _images(folder: str) -> list[dict[str, str]]:
    file = ROOT / "deploy" / "kubernetes" / folder / "kustomization.yaml"
    images: list[dict[str, str]] = yaml.safe_load(file.read_text(encoding="utf-8"))["images"]
    return images


def test_both_ways_deploy_the_same_configuration() -> None:
    """But for the address of vLLM, whose name has the release's in the chart."""
    chart = yaml.safe_load(of_kind("helm defaults", "ConfigMap")[0]["data"]["guard.yaml"])
    base = yaml.safe_load(of_kind("kustomize base", "ConfigMap")[0]["data"]["guard.yaml"])
    assert chart["upstream"].pop("url") == "http://ecoguard-vllm:8000"
    assert base["upstream"].pop("url") == "http://vllm:8000"
    assert chart == base


def test_both_ways_watch_by_the_same_rules() -> None:
    kinds = ("helm everything", "kustomize overlays/gpu")
    rules = [of_kind(name, "PrometheusRule")[0]["spec"] for name in kinds]
    boards = [
        next(m["data"] for m in of_kind(name, "ConfigMap") if "dashboards" in m["metadata"]["name"])
        for name in kinds
    ]
    assert rules[0] == rules[1]
    assert boards[0] == boards[1]


def test_both_ways_have_the_same_pods() -> None:
    """The guard's and vLLM's containers: ports, probes, commands, mounts and security alike."""
    keys = ["command", "ports", "securityContext"]
    keys += ["startupProbe", "livenessProbe", "readinessProbe"]
    shapes = []
    for name in ("helm defaults", "kustomize base"):
        specs = [m["spec"]["template"]["spec"] for m in rendered(name) if m["kind"] == "Deployment"]
        found = [spec["containers"][0] for spec in specs]
        shapes.append(
            {c["name"]: {**{k: c.get(k) for k in keys}, "mounts": c["volumeMounts"]} for c in found}
        )
    assert shapes[0] == shapes[1]
