"""The dashboards ask for what the proxy exports."""

from typing import Any

import pytest

from tests.deployment.dashboards import DASHBOARDS, FOLDER, dashboard
from tests.deployment.exposition import faults, metrics_in


def queries(uid: str) -> list[str]:
    """Every query of a dashboard."""
    panels: list[dict[str, Any]] = dashboard(uid)["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def test_there_is_no_other_file() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == DASHBOARDS.keys()


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_every_query_asks_for_what_is_exported(uid: str) -> None:
    for query in queries(uid):
        assert metrics_in(query)
        assert not faults(query)


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_panels_do_not_overlap(uid: str) -> None:
    places = [tuple(panel["gridPos"].values()) for panel in dashboard(uid)["panels"]]
    assert len({place[:2] for place in places}) == len(places)
    assert all(x + width <= 24 for x, _, width, _ in places)
