"""The documentation against the code: keys, defaults, metrics, commands, fields, links."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from packaging.requirements import Requirement

from guard.observability.metrics import Metrics
from guard.settings import Settings, load, schema_text
from guard.wire import protocols
from guard.wire.fields import FieldTable, Rule
from guard.wire.responses.store import ResponseStore
from tests.docs import configuration, differences
from tests.docs import fields as field_tables
from tests.source_tree import ROOT, modules

DOCS = ROOT / "docs"
ROOT_PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
PAGES = (*(ROOT / name for name in ROOT_PAGES), *sorted(DOCS.rglob("*.md")))
METRICS = (DOCS / "reference/metrics.md").read_text(encoding="utf-8")
EVERYTHING = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
EXAMPLE = ROOT / "deploy" / "guard.example.yaml"

CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
# Tables that are parts of others, written down there.
SHARED_TABLES = {"SAMPLING_FIELDS", "SAME", "UNTRANSLATABLE", "ITEM", "TYPE"}


def rows(page: str, title: str) -> Iterator[list[str]]:
    """The cells of the tables whose first column is headed `title`."""
    inside = False
    for line in page.splitlines():
        if not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|---"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        elif line.startswith(f"| {title} |"):
            inside = True


def test_the_configuration_page_is_what_the_classes_say() -> None:
    page = (DOCS / "reference/configuration.md").read_text(encoding="utf-8")
    command = "python -m tests.docs.configuration > docs/reference/configuration.md"
    assert page == configuration.text(), f"run: {command}"


def test_every_key_is_described() -> None:
    """By the text that stands below it in its class."""
    assert not [e.key for e in configuration.entries(Settings) if not e.field.description]


def test_every_metric_is_in_the_table() -> None:
    written = {name for row in rows(METRICS, "metric") for name in CODE.findall(row[0])}
    families = Metrics().registry.collect()
    assert written == {
        family.name + ("_total" if family.type == "counter" else "") for family in families
    }


def test_every_alert_is_in_the_table() -> None:
    rules = yaml.safe_load((ROOT / "deploy/observability/alerts.yaml").read_text(encoding="utf-8"))
    alerts = {
        rule["alert"]: rule["labels"]["severity"]
        for group in rules["groups"]
        for rule in group["rules"]
    }
    assert {row[0].strip("`"): row[1] for row in rows(METRICS, "alert")} == alerts


def test_the_field_page_is_what_the_tables_say() -> None:
    page = (DOCS / "reference/fields.md").read_text(encoding="utf-8")
    command = "python -m tests.docs.fields > docs/reference/fields.md"
    assert page == field_tables.text(), f"run: {command}"


def test_the_page_of_differences_is_what_the_replay_expects() -> None:
    page = (DOCS / "reference/differences.md").read_text(encoding="utf-8")
    command = "python -m tests.docs.differences > docs/reference/differences.md"
    assert page == differences.text(), f"run: {command}"


def test_every_field_is_on_the_field_page() -> None:
    page = (DOCS / "reference/fields.md").read_text(encoding="utf-8")
    sections = {part.split("`", 2)[1]: part for part in page.split("\n## ")[1:]}
    for protocol in protocols.make_protocols(ResponseStore()).values():
        named = set(CODE.findall(sections[protocol.route]))
        assert not protocol.table.keys() - named, protocol.route


def test_every_table_is_on_the_field_page() -> None:
    """Those of objects inside requests too."""
    shown = [*(p.table for p in protocols.make_protocols(ResponseStore()).values())]
    shown += [table for page in field_tables.DOCUMENTED.values() for table in page.inner.values()]
    written = {id(table) for table in shown}
    missing = [place for place, table in field_tables_in_code() if id(table) not in written]
    assert not missing


def field_tables_in_code() -> Iterator[tuple[str, FieldTable]]:
    """The public field tables of `guard.wire`, and where they stand."""
    for module in modules("guard/wire"):
        namespace = vars(__import__(module.name, fromlist=["*"]))
        for name, value in namespace.items():
            if name.startswith("_") or name in SHARED_TABLES or not isinstance(value, Mapping):
                continue
            for table in (value, *value.values()):
                if isinstance(table, Mapping) and {type(rule) for rule in table.values()} == {Rule}:
                    yield f"{module.name}.{name}", table


def links() -> Iterator[tuple[Path, str]]:
    """Every relative link, with the page it stands on."""
    for page in PAGES:
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:", target):
                yield page, target


def test_relative_links_lead_somewhere() -> None:
    assert not [f"{page.name}: {target}" for page, target in links() if not _resolves(page, target)]


def _resolves(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    if not anchor:
        return file.exists()
    headings = HEADING.findall(file.read_text(encoding="utf-8")) if file.exists() else []
    return anchor in {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def test_paths_in_the_text_exist() -> None:
    """Files of the repository that the pages name as code."""
    named = {
        name
        for name in CODE.findall(EVERYTHING)
        if re.fullmatch(r"(guard|classifiers|deploy|docs|tests)/[\w./-]+", name)
    }
    assert not [name for name in named if not (ROOT / name).exists()]


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {target for code in CODE.findall(EVERYTHING) for target in made(code)}
    named |= {target for line in EVERYTHING.splitlines() for target in made(line)}
    assert {"demo", "test"} <= named <= targets


def made(command: str) -> list[str]:
    """The target of a command line that calls make."""
    return re.findall(r"^make ([a-z-]+)\b", command)


def test_the_published_schema_is_the_configurations() -> None:
    published = (ROOT / "deploy" / "guard.schema.json").read_text(encoding="utf-8")
    assert published == schema_text(), "run: ecoguard schema > deploy/guard.schema.json"


def test_the_example_loads() -> None:
    settings = load(EXAMPLE, {})
    assert settings.policies


def test_the_examples_commented_parts_load_too(tmp_path: Path) -> None:
    """Prose stands after `# `; what stands after a bare `#` is configuration, switched off."""
    text = EXAMPLE.read_text(encoding="utf-8")
    whole = tmp_path / "guard.yaml"
    whole.write_text(re.sub(r"^#(?! \S|$)", "", text, flags=re.MULTILINE), encoding="utf-8")
    (tmp_path / "keys.yaml").write_text("[]", encoding="utf-8")
    settings = load(whole, {})
    assert settings.may_corrupt
    assert settings.keys
    assert settings.model_fields_set == set(Settings.model_fields)


def test_dependencies_are_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {Requirement(line).name for group in groups for line in group} - {"ecoguard"}
    page = (DOCS / "develop/dependencies.md").read_text(encoding="utf-8")
    explained = [name for line in page.splitlines() for name in re.findall(r"^\| `([^`]+)`", line)]
    assert sorted(explained) == sorted(declared)
