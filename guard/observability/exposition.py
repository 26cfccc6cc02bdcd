"""Reading what `/metrics` tells: Prometheus' text format."""

from collections import defaultdict
from collections.abc import Mapping

Series = Mapping[str, list[tuple[Mapping[str, str], float]]]
"""By name, each sample's labels and value; an empty list for what is not there."""


def read_series(text: str) -> Series:
    """The samples in a proxy's exposition."""
    from prometheus_client.parser import text_string_to_metric_families

    found: dict[str, list[tuple[Mapping[str, str], float]]] = defaultdict(list)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name].append((sample.labels, sample.value))
    return found
