"""What the proxy exports, and what a PromQL expression asks for."""

import re
from functools import cache

from guard.observability.metrics import Metrics

SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
_METRIC = re.compile(r"\b(?:ecoguard|process)_[a-z_]+\b")
_LABEL = re.compile(r"([a-z]\w*)\s*(?:=~|!~|!=|=)")
_SELECTOR = re.compile(r"\b((?:ecoguard|process)_[a-z_]+)\{([^}]*)\}")
# What Prometheus adds to every series, and what histograms have.
ADDED = {"job", "instance", "le"}


@cache
def exported() -> dict[str, frozenset[str]]:
    """The name of every series, and its labels."""
    metrics = Metrics()
    labels = {
        collector._name: frozenset(collector._labelnames)
        for collector in metrics.registry._collector_to_names
        if hasattr(collector, "_labelnames") and hasattr(collector, "_name")
    }
    return {
        family.name + suffix: labels.get(family.name, frozenset())
        for family in metrics.registry.collect()
        for suffix in SUFFIXES[family.type]
    }


def metrics_in(expression: str) -> set[str]:
    """The names of the proxy's series in an expression."""
    return set(_METRIC.findall(expression))


def faults(expression: str) -> list[str]:
    """Series and labels in an expression that the proxy does not export."""
    found = [name for name in metrics_in(expression) if name not in exported()]
    for name, matchers in _SELECTOR.findall(expression):
        known = exported().get(name, frozenset()) | ADDED
        found += [f"{name}{{{label}}}" for label in _LABEL.findall(matchers) if label not in known]
    return found
