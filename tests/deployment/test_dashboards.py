"""The dashboards: written by their generator, and asking for what the proxy exports."""

from typing import Any

import pytest

from tests.deployment.dashboards import DASHBOARDS, FOLDER, dashboard, text
from tests.deployment.exposition import exported, faults, metrics_in


def queries(uid: str) -> list[str]:
    """Every query of a dashboard."""
    panels: list[dict[str, Any]] = dashboard(uid)["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_the_file_is_what_the_generator_writes(uid: str) -> None:
    written = (FOLDER / f"{uid}.json").read_text(encoding="utf-8")
    assert written == text(uid), "run: python -m tests.deployment.dashboards"


def test_there_is_no_other_file() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == DASHBOARDS.keys()


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_every_query_asks_for_what_is_exported(uid: str) -> None:
    for query in queries(uid):
        assert metrics_in(query)
        assert not faults(query)


def test_every_metric_of_ours_is_on_a_dashboard() -> None:
    shown = {name for uid in DASHBOARDS for query in queries(uid) for name in metrics_in(query)}
    families = {name.removesuffix("_bucket") for name in shown}
    ours = {
        name.removesuffix("_bucket")
        for name in exported()
        if name.startswith("ecoguard_") and not name.endswith(("_sum", "_count"))
    }
    # Gauges that tell of a fault, and are in alerts.
    assert ours - families == {"ecoguard_store_up", "ecoguard_store_queue_bytes"}


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_panels_do_not_overlap(uid: str) -> None:
    places = [tuple(panel["gridPos"].values()) for panel in dashboard(uid)["panels"]]
    assert len({place[:2] for place in places}) == len(places)
    assert all(x + width <= 24 for x, _, width, _ in places)
