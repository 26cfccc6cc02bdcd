"""Grafana's dashboards from a short description; `tests.deployment.generated` writes them."""

import json
from dataclasses import dataclass
from typing import Any

from tests.source_tree import ROOT

FOLDER = ROOT / "deploy" / "observability" / "dashboards"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH, HEIGHT = 8, 8  # of a panel; a row of the grid is 24 wide
JOB = 'job=~"$job"'
FINDINGS = "ecoguard_findings_total"


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph: its title, unit, and queries by legend; `$job` chooses the scraped job."""

    title: str
    queries: dict[str, str]
    unit: str = "reqps"
    kind: str = "timeseries"
    stacked: bool = False
    note: str = ""


def rate(metric: str, by: str, match: str = "") -> str:
    """A counter's rate, summed by labels."""
    labels = f"{JOB},{match}" if match else JOB
    grouped = f"sum by ({by})" if by else "sum"
    return f"{grouped} (rate({metric}{{{labels}}}[$__rate_interval]))"


def quantile(share: float, histogram: str, by: str = "") -> str:
    """A quantile of a histogram."""
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', f'le,{by}' if by else 'le')})"


def quantiles(histogram: str) -> dict[str, str]:
    """The three quantiles that a graph of durations shows."""
    return {f"p{round(q * 100)}": quantile(q, histogram) for q in (0.5, 0.95, 0.99)}


SERVICE = (
    Panel("Requests by action", {"{{action}}": rate("ecoguard_requests_total", "action")}),
    Panel("Requests by route", {"{{route}}": rate("ecoguard_requests_total", "route")}),
    Panel("Requests by status", {"{{status}}": rate("ecoguard_requests_total", "status")}),
    Panel("First byte", quantiles("ecoguard_first_byte_seconds"), "s"),
    Panel("Whole answer", quantiles("ecoguard_answer_seconds"), "s"),
    Panel(
        "Model server: until its status",
        quantiles("ecoguard_upstream_seconds"),
        "s",
        note="The difference to the first byte is the guard's own time.",
    ),
    Panel("Screening", quantiles("ecoguard_screening_seconds"), "s"),
    Panel(
        "In flight",
        {"{{instance}}": f"ecoguard_in_flight_requests{{{JOB}}}"},
        "short",
        stacked=True,
    ),
    Panel(
        "Failures of the model server",
        {"{{stage}}": rate("ecoguard_upstream_failures_total", "stage")},
        "ops",
    ),
    Panel(
        "Model servers: healthy",
        {"{{upstream}}": f"min by (upstream) (ecoguard_upstream_up{{{JOB}}})"},
        "short",
    ),
    Panel(
        "Model servers: requests in flight",
        {"{{upstream}}": f"sum by (upstream) (ecoguard_upstream_in_flight_requests{{{JOB}}})"},
        "short",
        stacked=True,
    ),
    Panel(
        "Model servers: retries and breaks",
        {
            "retries": rate("ecoguard_upstream_retries_total", ""),
            "break: {{upstream}}": rate("ecoguard_upstream_breaks_total", "upstream"),
        },
        "ops",
    ),
    Panel(
        "Over a key's limit",
        {"{{limit}}": rate("ecoguard_rate_limited_total", "limit")},
    ),
    Panel(
        "Shared limits (Redis)",
        {
            "reachable: {{instance}}": f"ecoguard_shared_limits_up{{{JOB}}}",
            "failures": rate("ecoguard_shared_limits_failures_total", ""),
        },
        "short",
    ),
    Panel(
        "Clients that left early",
        {"{{route}}": rate("ecoguard_client_disconnects_total", "route")},
        "ops",
    ),
    Panel(
        "CPU",
        {"{{instance}}": rate("process_cpu_seconds_total", "instance")},
        "short",
        note="In cores.",
    ),
    Panel("Memory", {"{{instance}}": f"process_resident_memory_bytes{{{JOB}}}"}, "bytes"),
    Panel(
        "Records written and lost",
        {
            "{{kind}} written": rate("ecoguard_store_written_total", "kind"),
            "{{kind}} lost: {{reason}}": rate("ecoguard_store_dropped_total", "kind,reason"),
        },
        "ops",
    ),
    Panel("Store: a batch", quantiles("ecoguard_store_write_seconds"), "s"),
    Panel(
        "Store: waiting records",
        {"{{instance}}": f"ecoguard_store_queue_records{{{JOB}}}"},
        "short",
    ),
    Panel("Reloads", {"{{result}}": rate("ecoguard_reloads_total", "result")}, "ops"),
    Panel(
        "Configuration: age",
        {"{{instance}}": f"time() - ecoguard_configured_timestamp_seconds{{{JOB}}}"},
        "s",
    ),
    Panel(
        "In service",
        {
            "EcoGuard {{version}}": f"count by (version) (ecoguard_build_info{{{JOB}}})",
            "{{detector}} {{digest}}": (
                f"count by (detector, digest) (ecoguard_artifact_info{{{JOB}}})"
            ),
        },
        "short",
        kind="table",
        note="Replicas by version, and by the digest of each detector's artifact.",
    ),
)

SCREENING = (
    Panel(
        "Policies that fired",
        {
            "{{policy}}: {{action}}": rate(
                "ecoguard_findings_total", "policy,action", 'failed="false"'
            )
        },
        "ops",
    ),
    Panel(
        "Policies that failed",
        {
            "{{policy}}: {{action}}": rate(
                "ecoguard_findings_total", "policy,action", 'failed="true"'
            )
        },
        "ops",
        note="A detector raised or was too slow: the action is on_error's.",
    ),
    Panel(
        "Sent on unscreened",
        {"{{reason}}": rate("ecoguard_bypassed_requests_total", "reason")},
        note="What the operator lets through: on_error, media.",
    ),
    Panel(
        "Shadow: what would have changed",
        {"{{action}} → {{would}}": rate("ecoguard_shadow_changes_total", "action,would")},
    ),
    Panel(
        "Shadow policies that fired or failed",
        {
            "{{policy}}: {{action}}, failed {{failed}}": rate(
                "ecoguard_shadow_findings_total", "policy,action,failed"
            )
        },
        "ops",
    ),
    Panel(
        "Share of requests blocked",
        {
            "blocked": rate("ecoguard_requests_total", "", 'action="block"')
            + " / "
            + rate("ecoguard_requests_total", "")
        },
        "percentunit",
    ),
    Panel("Scores: median", {"{{policy}}": quantile(0.5, "ecoguard_score", "policy")}, "short"),
    Panel("Scores: p99", {"{{policy}}": quantile(0.99, "ecoguard_score", "policy")}, "short"),
    Panel(
        "Share with a p-value among benign prompts up to 0.01",
        {
            "{{policy}}": rate("ecoguard_p_value_bucket", "policy", 'class="benign",le="0.01"')
            + " / "
            + rate("ecoguard_p_value_count", "policy", 'class="benign"')
        },
        "percentunit",
        note="1 % for traffic like the calibration's; more means attacks, or drift.",
    ),
    Panel(
        "Scores remembered",
        {
            "{{kind}}": rate("ecoguard_screening_cache_total", "kind", 'result="hit"')
            + " / "
            + rate("ecoguard_screening_cache_total", "kind")
        },
        "percentunit",
        note="The share of texts and of requests whose scores were known.",
    ),
    Panel(
        "Sent early and cancelled",
        {"requests": rate("ecoguard_upstream_cancelled_total", "")},
        note="Blocked by a verdict that came after the request had gone to the model server.",
    ),
    Panel("Corrupted tokens", {"tokens": rate("ecoguard_corrupted_tokens_total", "")}, "ops"),
)

DASHBOARDS = {
    "ecoguard-service": ("EcoGuard: service", SERVICE),
    "ecoguard-screening": ("EcoGuard: screening", SCREENING),
}


def dashboard(uid: str) -> dict[str, Any]:
    """A dashboard as Grafana imports it."""
    title, panels = DASHBOARDS[uid]
    return {
        "uid": uid,
        "title": title,
        "tags": ["ecoguard"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_datasource(), _job()]},
        "panels": [_panel(number, panel) for number, panel in enumerate(panels)],
    }


def _datasource() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
    }


def _job() -> dict[str, Any]:
    return {
        "name": "job",
        "label": "Job",
        "type": "query",
        "datasource": SOURCE,
        "query": "label_values(ecoguard_build_info, job)",
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "allValue": ".+",
        "current": {"text": "All", "value": "$__all"},
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    per_row = 24 // WIDTH
    return {
        "id": number + 1,
        "title": panel.title,
        "description": panel.note,
        "type": panel.kind,
        "datasource": SOURCE,
        "gridPos": {
            "x": number % per_row * WIDTH,
            "y": number // per_row * HEIGHT,
            "w": WIDTH,
            "h": HEIGHT,
        },
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [
            _target(panel, "ABC"[index], legend, query)
            for index, (legend, query) in enumerate(panel.queries.items())
        ],
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    stacking = {"mode": "normal" if panel.stacked else "none"}
    return {"unit": panel.unit, "min": 0, "custom": {"stacking": stacking}}


def _target(panel: Panel, reference: str, legend: str, query: str) -> dict[str, Any]:
    table = {"instant": True, "format": "table"} if panel.kind == "table" else {}
    return {
        "refId": reference,
        "datasource": SOURCE,
        "expr": query,
        "legendFormat": legend,
        **table,
    }


def text(uid: str) -> str:
    """A dashboard's file."""
    return json.dumps(dashboard(uid), indent=2, ensure_ascii=False) + "\n"
