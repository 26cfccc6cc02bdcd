"""What an artifact says about itself: the manifest, its digest and the model card made from it."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import orjson
from pydantic import BaseModel, ConfigDict, Field, JsonValue

SCHEMA = 1
MANIFEST = "manifest.json"
REPORT = "report.json"
CARD = "README.md"
PAGE = "report.html"

Report = Mapping[str, JsonValue]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Strict):
    """One file of an artifact."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class DataSource(_Strict):
    """What an artifact was trained on: a hash over the rows and their number, never the rows."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    rows: int = Field(ge=0)


class Manifest(_Strict):
    """What an artifact is. `write` fills `files`; everything else comes from the trainer.

    `encoder` is the digest of the encoder artifact whose features are scored, `recipe` whatever
    the kind needs to be used (and to be told apart from another artifact of the same kind).
    """

    schema_version: int = SCHEMA
    kind: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    name: str = Field(min_length=1, max_length=200)
    created: datetime
    ecoguard: str
    encoder: str | None = None
    thresholds: dict[str, float] = {}
    metrics: dict[str, float] = {}
    recipe: dict[str, JsonValue] = {}
    data: dict[str, DataSource] = {}
    files: dict[str, FileEntry] = {}

    @property
    def digest(self) -> str:
        """SHA-256 over what decides behaviour: not name, dates, metrics, report or card."""
        identity = self.model_dump(
            mode="json", include={"schema_version", "kind", "encoder", "thresholds", "recipe"}
        )
        identity["files"] = {
            name: entry.sha256
            for name, entry in self.files.items()
            if name not in (REPORT, CARD, PAGE)
        }
        return hashlib.sha256(orjson.dumps(identity, option=orjson.OPT_SORT_KEYS)).hexdigest()


def draft(kind: str, name: str, **fields: object) -> Manifest:
    """A manifest stamped with the present time and the running version, without files."""
    stamp = {"created": datetime.now(UTC).replace(microsecond=0), "ecoguard": _version()}
    return Manifest.model_validate({"kind": kind, "name": name, **stamp, **fields})


def _version() -> str:
    try:
        return version("ecoguard")
    except PackageNotFoundError:
        return "0"


def card(manifest: Manifest, report: Report) -> str:
    """The model card: a Markdown page with the facts of manifest and report."""
    lines = [f"# {manifest.name}", "", f"EcoGuard artifact of kind `{manifest.kind}`.", ""]
    facts: dict[str, object] = {
        "Created": manifest.created.isoformat(),
        "EcoGuard": manifest.ecoguard,
        "Encoder": manifest.encoder or "none",
        **{f"Threshold `{key}`": value for key, value in manifest.thresholds.items()},
        **{f"Metric `{key}`": f"{value:.6g}" for key, value in manifest.metrics.items()},
        **{f"Data `{key}`": f"{d.rows} rows, {d.sha256[:12]}" for key, d in manifest.data.items()},
    }
    lines += ["| fact | value |", "|---|---|"]
    lines += [f"| {key} | {_cell(value)} |" for key, value in facts.items()]
    if summary := report.get("summary"):
        lines += ["", str(summary)]
    return "\n".join([*lines, ""])


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
