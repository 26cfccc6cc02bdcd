"""Every rendered manifest: Kubernetes' schemas, pod security, and names that the proxy knows."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from guard.commands.main import app as guard_app
from guard.settings import Settings, load
from tests.deployment.exposition import exported
from tests.deployment.manifests import (
    RENDERINGS,
    Manifest,
    containers,
    guard_config,
    guard_pod,
    of_kind,
    pods,
    rendered,
)
from tests.deployment.schemas import NEWEST, OLDEST, complaints
from tests.source_tree import ROOT

OPERATOR = "monitoring.coreos.com/v1"
# The keys that a ServiceMonitor and a PrometheusRule here may have, of those the operator knows.
OPERATORS_KEYS: dict[str, Any] = {
    "ServiceMonitor": {
        "jobLabel": str,
        "selector": {"matchLabels": dict},
        "endpoints": [{"port": str, "path": str, "interval": str, "scrapeTimeout": str}],
    },
    "PrometheusRule": {
        "groups": [
            {
                "name": str,
                "rules": [
                    {"alert": str, "expr": str, "for": str, "labels": dict, "annotations": dict}
                ],
            }
        ]
    },
}
each_rendering = pytest.mark.parametrize("name", RENDERINGS)


def strangers(value: Any, known: Any, path: str) -> list[str]:
    """Places where a value is not made as `known` says."""
    if isinstance(known, type):
        return [] if isinstance(value, known) else [path]
    if isinstance(known, list):
        items = value if isinstance(value, list) else [None]
        return [s for i, item in enumerate(items) for s in strangers(item, known[0], f"{path}.{i}")]
    if not isinstance(value, dict):
        return [path]
    found = [f"{path}.{key}" for key in value.keys() - known.keys()]
    for key in value.keys() & known.keys():
        found += strangers(value[key], known[key], f"{path}.{key}")
    return found


@each_rendering
def test_kubernetes_accepts_every_manifest(name: str) -> None:
    manifests = [m for m in rendered(name) if m["apiVersion"] != OPERATOR]
    assert len(manifests) > 3
    for manifest in manifests:
        for version in (OLDEST, NEWEST):
            assert not complaints(manifest, version), manifest["metadata"]["name"]


def test_a_wrong_manifest_is_refused() -> None:
    service = next(m for m in rendered("kustomize base") if m["kind"] == "Service")
    wrong = {**service, "spec": {**service["spec"], "port": 1}}
    assert "'port' was unexpected" in complaints(wrong, NEWEST)[0]
    with pytest.raises(kubernetes_validate.ValidationError):  # the package's own judgement
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


@each_rendering
def test_the_prometheus_operator_knows_every_key(name: str) -> None:
    for manifest in rendered(name):
        if manifest["apiVersion"] == OPERATOR:
            known = OPERATORS_KEYS[manifest["kind"]]
            assert manifest.keys() == {"apiVersion", "kind", "metadata", "spec"}
            assert not strangers(manifest["spec"], known, manifest["kind"])


@each_rendering
def test_names_are_used_once_and_fit(name: str) -> None:
    found = [(m["kind"], m["metadata"]["name"]) for m in rendered(name)]
    assert len(set(found)) == len(found)
    assert not [name for _, name in found if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", name)]


@each_rendering
def test_pods_meet_the_restricted_standard(name: str) -> None:
    for workload, _, pod in pods(name):
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True, workload
        assert context["runAsUser"] > 0
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert not pod.keys() & {"hostNetwork", "hostPID", "hostIPC"}
        assert not [volume for volume in pod["volumes"] if "hostPath" in volume]
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]


@each_rendering
def test_the_guard_runs_as_the_images_user(name: str) -> None:
    recipe = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    users = set(re.findall(r"^USER (\d+):(\d+)$", recipe, re.MULTILINE))
    context = guard_pod(name)["securityContext"]
    assert users == {(str(context["runAsUser"]), str(context["runAsGroup"]))}


@each_rendering
def test_images_are_pinned(name: str) -> None:
    script = (ROOT / "deploy" / "install-vllm-cpu.sh").read_text(encoding="utf-8")
    version = re.findall(r"VLLM_VERSION=(\S+)", script)[0]
    images = {container["image"] for _, _, pod in pods(name) for container in containers(pod)}
    assert not [image for image in images if ":" not in image or image.endswith(":latest")]
    tags = {image.split(":")[1].split("-")[0] for image in images if "vllm/" in image}
    assert tags <= {f"v{version}"}


def of_container(name: str, pod: Manifest) -> Manifest:
    (found,) = (container for container in containers(pod) if container["name"] == name)
    return found


@each_rendering
def test_the_configuration_is_valid(name: str, tmp_path: Path) -> None:
    settings = loaded(name, tmp_path)
    container = of_container("ecoguard", guard_pod(name))
    assert [port["containerPort"] for port in container["ports"]] == [settings.listen.port]
    grace = guard_pod(name)["terminationGracePeriodSeconds"]
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    store = settings.store.drain_s if settings.store else 0
    assert settings.listen.drain_s + store + pause < grace


def loaded(name: str, folder: Path) -> Settings:
    """The settings that the pod would read; its secrets' files are stood in for."""
    keys = folder / "keys.yaml"
    keys.write_text(yaml.safe_dump([{"name": "first", "sha256": "0" * 64}]), encoding="utf-8")
    file = folder / "guard.yaml"
    text = guard_config(name)
    assert "keys_file: /etc/ecoguard-keys/keys.yaml" in text
    file.write_text(text.replace("/etc/ecoguard-keys/keys.yaml", str(keys)), encoding="utf-8")
    return load(file, {})


@each_rendering
def test_files_of_the_configuration_are_mounted(name: str, tmp_path: Path) -> None:
    settings = loaded(name, tmp_path)
    container = of_container("ecoguard", guard_pod(name))
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert {"/etc/ecoguard", "/etc/ecoguard-keys"} <= mounts
    paths = [source.path for source in settings.detectors.values() if source.kind == "artifact"]
    paths += [settings.encoder.path] if settings.encoder else []
    paths += [model.path for model in settings.models.values() if model.path]
    image = re.findall(r"--from=training /artifacts (\S+)", (ROOT / "Dockerfile").read_text())
    for path in paths:
        assert any(path.is_relative_to(place) for place in (*image, *mounts)), path


@each_rendering
def test_secrets_that_the_configuration_names_are_in_the_environment(
    name: str, tmp_path: Path
) -> None:
    settings = loaded(name, tmp_path)
    named = {settings.upstream.api_key_env, settings.store and settings.store.password_env}
    script = (ROOT / "deploy" / "kubernetes" / "create-secrets.sh").read_text(encoding="utf-8")
    (made,) = re.findall(r"for name in (.+); do", script)
    assert named - {None} <= set(made.split())
    sources = of_container("ecoguard", guard_pod(name))["envFrom"]
    assert {"secretRef": {"name": "ecoguard-secrets"}} in sources


@each_rendering
def test_no_secret_is_rendered(name: str) -> None:
    assert not of_kind(name, "Secret")
    assert not re.search(r"(?i)\beg-[0-9a-f]{16}|BEGIN [A-Z ]*PRIVATE KEY", str(rendered(name)))


@each_rendering
def test_probes_ask_for_routes_that_exist(name: str) -> None:
    text = (ROOT / "guard" / "server" / "service_routes.py").read_text(encoding="utf-8")
    routes = set(re.findall(r'@router\.\w+\("([^"]+)"', text))
    container = of_container("ecoguard", guard_pod(name))
    probes = {p: container[p]["httpGet"] for p in container if p.endswith("Probe")}
    assert {kind: probe["path"] for kind, probe in probes.items()} == {
        "startupProbe": "/livez",
        "livenessProbe": "/livez",
        "readinessProbe": "/readyz",
    }
    assert {probe["path"] for probe in probes.values()} <= routes
    assert {probe["port"] for probe in probes.values()} == {"http"}
    monitors = of_kind(name, "ServiceMonitor")
    assert {e["path"] for m in monitors for e in m["spec"]["endpoints"]} <= routes


@each_rendering
def test_the_migration_is_a_command_that_exists(name: str) -> None:
    starts = [c for c in guard_pod(name).get("initContainers", []) if c["name"] == "migrate"]
    assert len(starts) == ("store:" in guard_config(name))
    store = next(g.typer_instance for g in guard_app.registered_groups if g.name == "store")
    assert store is not None
    commands = {c.name or getattr(c.callback, "__name__", "") for c in store.registered_commands}
    for container in starts:
        assert container["args"][:2] == ["store", "upgrade"]
        assert container["args"][1] in commands
        assert ("--config", "/etc/ecoguard/guard.yaml") in pairwise(container["args"])


@each_rendering
def test_services_find_their_pods(name: str) -> None:
    labels = [metadata["labels"].items() for _, metadata, _ in pods(name)]
    served = [container for _, _, pod in pods(name) for container in pod["containers"]]
    ports = {port["name"] for container in served for port in container.get("ports", [])}
    for service in of_kind(name, "Service"):
        selector = service["spec"]["selector"].items()
        assert sum(selector <= found for found in labels) == 1, service["metadata"]["name"]
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    for budget in of_kind(name, "PodDisruptionBudget"):
        selector = budget["spec"]["selector"]["matchLabels"].items()
        assert sum(selector <= found for found in labels) == 1
    for monitor in of_kind(name, "ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        found = [s for s in of_kind(name, "Service") if wanted <= s["metadata"]["labels"].items()]
        assert [s["metadata"]["labels"][monitor["spec"]["jobLabel"]] for s in found] == ["ecoguard"]


@each_rendering
def test_the_autoscaler_knows_its_deployment_and_metric(name: str) -> None:
    for scaler in of_kind(name, "HorizontalPodAutoscaler"):
        (deployment,) = (
            m
            for m in of_kind(name, "Deployment")
            if m["metadata"]["name"] == scaler["spec"]["scaleTargetRef"]["name"]
        )
        assert "replicas" not in deployment["spec"]
        for metric in scaler["spec"]["metrics"]:
            if metric["type"] == "Pods":
                assert metric["pods"]["metric"]["name"] in exported()


def test_the_adapter_serves_the_autoscalers_metric() -> None:
    file = ROOT / "deploy" / "observability" / "prometheus-adapter.yaml"
    (rule,) = yaml.safe_load(file.read_text(encoding="utf-8"))["rules"]["custom"]
    (scaler,) = of_kind("kustomize overlays/gpu", "HorizontalPodAutoscaler")
    (metric,) = scaler["spec"]["metrics"]
    assert rule["name"]["as"] == metric["pods"]["metric"]["name"]
    assert rule["seriesQuery"].partition("{")[0] in exported()


@each_rendering
def test_volumes_are_defined_and_claims_exist(name: str) -> None:
    claims = {claim["metadata"]["name"] for claim in of_kind(name, "PersistentVolumeClaim")}
    maps = {found["metadata"]["name"] for found in of_kind(name, "ConfigMap")}
    for workload, _, pod in pods(name):
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        templates = {"data"} if workload == "postgres" else set()
        used = {mount["name"] for c in containers(pod) for mount in c["volumeMounts"]}
        assert used == volumes.keys() | templates, workload
        for volume in volumes.values():
            assert volume.get("configMap", {"name": None})["name"] in maps | {None}
            claim = volume.get("persistentVolumeClaim", {"claimName": None})["claimName"]
            assert claim in claims | {None}


def test_a_changed_configuration_is_a_roll_out() -> None:
    config = "ConfigMap"
    names = [
        next(m["metadata"]["name"] for m in of_kind(f"kustomize {overlay}", config))
        for overlay in ("base", "overlays/cpu-demo", "overlays/gpu")
    ]
    assert all(re.fullmatch(r"ecoguard-config-[a-z0-9]{10}", name) for name in names)
    assert names[0] == names[1] != names[2]  # the demo's is the base's, the other has its own
    marks = []
    for chart in ("helm defaults", "helm guard only"):
        metadata = next(meta for _, meta, pod in pods(chart) if pod == guard_pod(chart))
        marks.append(metadata["annotations"]["checksum/config"])
    assert marks[0] != marks[1]


def test_replicas_are_spread() -> None:
    for name in RENDERINGS:
        constraints = guard_pod(name)["topologySpreadConstraints"]
        keys = {constraint["topologyKey"] for constraint in constraints}
        assert keys == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
