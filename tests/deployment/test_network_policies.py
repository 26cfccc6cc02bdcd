"""Who reaches whom, by the rendered network policies: only the guard reaches vLLM."""

from collections.abc import Iterator

import pytest

from tests.deployment.manifests import RENDERINGS, Manifest, of_kind, pods

ISOLATED = [name for name in RENDERINGS if name != "helm guard only"]
SELF = object()  # this namespace
ELSEWHERE = object()  # a pod in another one


def selects(selector: Manifest, labels: dict[str, str]) -> bool:
    """Whether a label selector takes pods with these labels."""
    for rule in selector.get("matchExpressions", []):
        assert rule["operator"] == "In"
        if labels.get(rule["key"]) not in rule["values"]:
            return False
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def admits(peer: Manifest, labels: dict[str, str], namespace: object) -> bool:
    """Whether a rule's peer is a pod with these labels in a namespace."""
    if "ipBlock" in peer:
        return False  # addresses outside; pods' own are excepted or not meant
    if "namespaceSelector" in peer:
        return not peer["namespaceSelector"] and "podSelector" not in peer
    return namespace is SELF and selects(peer["podSelector"], labels)


def policies(name: str, labels: dict[str, str], direction: str) -> Iterator[Manifest]:
    """The specifications that govern a pod's traffic in one direction."""
    for policy in of_kind(name, "NetworkPolicy"):
        spec = policy["spec"]
        if direction in spec["policyTypes"] and selects(spec["podSelector"], labels):
            yield spec


def passes(
    name: str,
    labels: dict[str, str],
    direction: str,
    peer: dict[str, str],
    where: object,
    port: int,
) -> bool:
    """Whether a pod's policies let traffic with a peer through."""
    governing = list(policies(name, labels, direction))
    if not governing:
        return True
    key, side = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
    return any(
        any(admits(found, peer, where) for found in rule[side])
        and port in {allowed["port"] for allowed in rule["ports"]}
        for spec in governing
        for rule in spec.get(key, [])
    )


def reaches(name: str, source: dict[str, str], target: dict[str, str], port: int) -> bool:
    """Whether one pod of the namespace can open a connection to another."""
    out = passes(name, source, "Egress", target, SELF, port)
    return out and passes(name, target, "Ingress", source, SELF, port)


def labelled(name: str) -> dict[str, dict[str, str]]:
    """The labels of each workload's pods, by what the workload is."""
    return {meta["labels"]["app.kubernetes.io/name"]: meta["labels"] for _, meta, _ in pods(name)}


@pytest.mark.parametrize("name", ISOLATED)
def test_only_the_guard_reaches_vllm(name: str) -> None:
    found = labelled(name)
    for source, labels in found.items():
        for port in (8000, 22):
            wanted = source == "ecoguard" and port == 8000
            assert reaches(name, labels, found["vllm"], port) == wanted, (source, port)
    for stranger in ({}, {"app.kubernetes.io/name": "ecoguard"}):
        assert not passes(name, found["vllm"], "Ingress", stranger, ELSEWHERE, 8000)


@pytest.mark.parametrize("name", ISOLATED)
def test_every_pod_is_governed_in_both_directions(name: str) -> None:
    for source, labels in labelled(name).items():
        assert list(policies(name, labels, "Ingress")), source
        assert list(policies(name, labels, "Egress")), source


@pytest.mark.parametrize("name", ISOLATED)
def test_vllm_reaches_nobody(name: str) -> None:
    found = labelled(name)
    assert not [s for s, labels in found.items() if reaches(name, found["vllm"], labels, 8080)]


@pytest.mark.parametrize("name", ISOLATED)
def test_applications_reach_the_guard(name: str) -> None:
    found = labelled(name)
    assert passes(name, found["ecoguard"], "Ingress", {"app": "shop"}, ELSEWHERE, 8080)
    assert not passes(name, found["ecoguard"], "Ingress", {"app": "shop"}, ELSEWHERE, 9000)


@pytest.mark.parametrize("name", [n for n in ISOLATED if "overlays" in n or "everything" in n])
def test_the_store_is_reached_by_those_that_need_it(name: str) -> None:
    found = labelled(name)
    store = found.get("postgres", {"app.kubernetes.io/name": "postgres"})
    reaching = {source for source, labels in found.items() if reaches(name, labels, store, 5432)}
    assert reaching == {"ecoguard", "ecoguard-train"} & found.keys()


@pytest.mark.parametrize("name", ISOLATED)
def test_names_can_be_looked_up(name: str) -> None:
    for labels in labelled(name).values():
        ports = {
            port["port"]
            for spec in policies(name, labels, "Egress")
            for rule in spec.get("egress", [])
            for port in rule["ports"]
        }
        assert 53 in ports
