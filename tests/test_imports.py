"""Which part may import which: the arrows point one way, and what is heavy is imported late."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter

import pytest

from tests.source_tree import ROOT, Import, Module, modules

# A part is a module or package of `guard`; a module belongs to the longest part that names it.
# What a part may import, complete: a new arrow is a decision, and is made here. Some modules
# stand apart from their packages because others need no more of those than this one leaf.
LEAVES: Mapping[str, set[str]] = {
    "guard": set(),  # the version
    "guard.errors": set(),
    "guard.headers": set(),
    "guard.manifest": set(),
    "guard.file_signature": set(),
    "guard.detectors.contract": set(),
    "guard.screening.verdict": set(),
    "guard.screening.sentences": set(),
    "guard.streaming.events": set(),
    "guard.corruption.noise": {"guard.errors"},
    "guard.corruption.functions": {"guard.errors", "guard.corruption.noise"},
    "guard.shelf": {"guard.errors", "guard.manifest"},
    "guard.artifacts": {"guard.errors", "guard.manifest", "guard.shelf"},
    "guard.detectors.weights": {"guard.artifacts", "guard.detectors.contract"},
    "guard.detectors.calibration": {"guard.detectors.weights"},
    "guard.settings": {"guard.errors", "guard.corruption.functions"},
    "guard.wire": {"guard.errors", "guard.streaming.events"},
    "guard.operations.traffic": {"guard.errors", "guard.settings", "guard.screening.verdict"},
    "guard.operations.traffic_store": {
        "guard.errors",
        "guard.settings",
        "guard.operations.traffic",
    },
}
PARTS: Mapping[str, set[str]] = {
    "guard.streaming": {"guard.errors", "guard.streaming.events", "guard.wire"},
    "guard.certificates": {"guard.errors", "guard.settings", "guard.file_signature"},
    "guard.tokenizers": {"guard.errors", "guard.settings", "guard.wire"},
    "guard.operations": {
        "guard.errors",
        "guard.settings",
        "guard.screening.verdict",
        "guard.operations.traffic",
        "guard.operations.traffic_store",
    },
    "guard.limits": {"guard.errors", "guard.settings", "guard.operations"},
    "guard.upstream": {"guard.errors", "guard.settings", "guard.operations"},
    "guard.encoders": {"guard.errors", "guard.artifacts", "guard.detectors.contract"},
    "guard.detectors": {
        "guard.errors",
        "guard.file_signature",
        "guard.artifacts",
        "guard.manifest",
        "guard.settings",
        "guard.screening.verdict",
        "guard.screening.sentences",
        "guard.encoders",
        "guard.detectors.contract",
        "guard.detectors.weights",
        "guard.detectors.calibration",
    },
    "guard.screening": {
        "guard.errors",
        "guard.settings",
        "guard.wire",
        "guard.operations",
        "guard.detectors.calibration",
        "guard.detectors.contract",
        "guard.screening.sentences",
        "guard.screening.verdict",
    },
    "guard.corruption": {
        "guard.errors",
        "guard.artifacts",
        "guard.settings",
        "guard.wire",
        "guard.screening.verdict",
        "guard.corruption.noise",
        "guard.corruption.functions",
    },
}
EDGE: Mapping[str, set[str]] = {
    "guard.deadlines": set(),
    "guard.leaving": set(),
    "guard.http_connection": set(),
    "guard.exchange": {
        "guard.errors",
        "guard.settings",
        "guard.wire",
        "guard.operations",
        "guard.streaming",
        "guard.upstream",
        "guard.screening",
        "guard.screening.verdict",
        "guard.corruption",
    },
    "guard.promotion": {"guard.errors", "guard.artifacts", "guard.settings", "guard.shelf"},
    "guard.artifact_commands": {
        "guard.errors",
        "guard.artifacts",
        "guard.promotion",
        "guard.settings",
        "guard.shelf",
    },
    "guard.parts": {
        "guard.certificates",
        "guard.settings",
        "guard.sizing",
        "guard.tokenizers",
        "guard.wire",
        "guard.detectors",
        "guard.detectors.contract",
        "guard.screening",
        "guard.corruption",
    },
    "guard.service": {
        "guard.deadlines",
        "guard.settings",
        "guard.wire",
        "guard.operations",
        "guard.upstream",
        "guard.encoders",
        "guard.screening",
        "guard.exchange",
        "guard.parts",
    },
    "guard.reload": {
        "guard",
        "guard.errors",
        "guard.settings",
        "guard.operations",
        "guard.parts",
        "guard.service",
    },
    "guard.admin": {
        "guard.errors",
        "guard.wire",
        "guard.headers",
        "guard.closed_routes",
        "guard.promotion",
        "guard.reload",
        "guard.service",
        "guard.settings",
    },
    "guard.reply_sender": {
        "guard.errors",
        "guard.wire",
        "guard.limits",
        "guard.operations",
        "guard.exchange",
    },
    "guard.endpoint": {
        "guard.deadlines",
        "guard.errors",
        "guard.settings",
        "guard.wire",
        "guard.headers",
        "guard.leaving",
        "guard.limits",
        "guard.operations",
        "guard.exchange",
        "guard.reply_sender",
        "guard.service",
    },
    "guard.check": {
        "guard.errors",
        "guard.wire",
        "guard.screening.verdict",
        "guard.exchange",
    },
    "guard.closed_routes": {"guard.errors", "guard.wire", "guard.headers"},
    "guard.service_routes": {
        "guard",
        "guard.errors",
        "guard.wire",
        "guard.operations",
        "guard.headers",
        "guard.closed_routes",
        "guard.service",
    },
    "guard.stored_responses": {
        "guard.errors",
        "guard.wire",
        "guard.service",
        "guard.headers",
        "guard.closed_routes",
    },
    "guard.app": {
        "guard",
        "guard.errors",
        "guard.settings",
        "guard.wire",
        "guard.operations",
        "guard.exchange",
        "guard.endpoint",
        "guard.check",
        "guard.closed_routes",
        "guard.service_routes",
        "guard.stored_responses",
        "guard.limits",
        "guard.parts",
        "guard.service",
        "guard.reload",
        "guard.admin",
    },
    "guard.request_commands": {
        "guard.errors",
        "guard.artifacts",
        "guard.manifest",
        "guard.settings",
        "guard.detectors",
    },
    "guard.store_commands": {
        "guard.errors",
        "guard.settings",
        "guard.operations",
        "guard.operations.traffic_store",
    },
    "guard.sizing": {"guard.settings"},
    "guard.workers": {
        "guard.errors",
        "guard.settings",
        "guard.operations",
        "guard.app",
        "guard.sizing",
    },
    "guard.cli": {
        "guard",
        "guard.errors",
        "guard.http_connection",
        "guard.settings",
        "guard.operations",
        "guard.app",
        "guard.artifact_commands",
        "guard.certificates",
        "guard.limits",
        "guard.parts",
        "guard.request_commands",
        "guard.sizing",
        "guard.store_commands",
        "guard.workers",
    },
    "guard.__main__": {"guard.cli"},
}
ARROWS = {**LEAVES, **PARTS, **EDGE}

# The trainers share what training and serving must do alike; they start the proxy, if at all, as
# a process of its own.
TRAINERS_MAY_IMPORT = {
    "guard",
    "guard.errors",
    "guard.manifest",
    "guard.artifacts",
    "guard.settings",
    "guard.encoders",
    "guard.operations.traffic_store",  # captured prompts
    "guard.detectors",
    "guard.detectors.calibration",
    "guard.detectors.contract",
    "guard.detectors.weights",
    "guard.corruption",
    "guard.corruption.functions",
    "guard.screening",
    "guard.screening.sentences",
    "guard.tokenizers",
    "guard.wire",
}
# Evaluations run the proxy's own screening and rewriting in their process: they may build it, too.
EVALUATIONS = "classifiers.evaluation"
EVALUATIONS_MAY_IMPORT = {"guard.parts", "guard.screening.verdict", "guard.operations"}

# Who may speak to the network, the web framework and the operator: everything else is sans-IO.
LIBRARIES: Mapping[str, set[str]] = {
    "aiohttp": {"guard.upstream"},
    "asyncio": {"guard.limits", "guard.upstream", "guard.screening", *EDGE},
    "fastapi": {
        *("guard.app", "guard.closed_routes"),
        *("guard.admin", "guard.service_routes", "guard.stored_responses"),
    },
    "starlette": {*EDGE, "guard.headers"},
    "uvicorn": {"guard.cli", "guard.http_connection", "guard.workers"},
    "typer": {
        "guard.cli",
        "guard.artifact_commands",
        "guard.request_commands",
        "guard.store_commands",
    },
    "sqlalchemy": {"guard.operations.traffic", "guard.operations.traffic_store"},
    "alembic": {"guard.operations.traffic"},
    "cryptography": {"guard.operations.traffic"},
    "redis": {"guard.limits"},
    "opentelemetry": {"guard.operations"},
    "requests": {"guard.operations"},
    "urllib3": {"guard.encoders"},  # screening's threads block
    "yaml": {"guard.settings"},
    "prometheus_client": {"guard.operations"},
    "onnxruntime": {"guard.encoders"},
    "torch": {"guard.corruption"},
}
TRAINING_ONLY = {
    *("datasets", "datasketch", "huggingface_hub", "matplotlib", "nevergrad", "onnx", "pyarrow"),
    *("rich", "scipy", "sklearn", "transformers"),
}

HEAVY = {
    *(
        "datasets",
        "datasketch",
        "huggingface_hub",
        "matplotlib",
        "nevergrad",
        "onnx",
        "onnxruntime",
    ),
    *("onnxscript", "pyarrow", "ray", "requests", "scipy", "sklearn", "torch"),
    "transformers",
}
# Modules that are heavy themselves: they subclass or annotate with what they import, so they are
# imported late instead.
HEAVY_MODULES = {
    "classifiers.pooled": "defines a torch module",
    "classifiers.malicious.fine_tuning.tower": "defines a torch module",
}

GUARD = {module.name: module for module in modules("guard")}
OURS = GUARD | {module.name: module for module in modules("classifiers")}


def part_of(name: str) -> str:
    """The part that a module of `guard` belongs to."""
    return max((part for part in ARROWS if _within(name, part)), key=len)


def _within(name: str, package: str) -> bool:
    return name == package or (package != "guard" and name.startswith(f"{package}."))


def module_of(imported: Import) -> str | None:
    """The module of ours that an import executes last; None for other packages."""
    name = imported.name
    while name and name not in OURS:
        name = name.rpartition(".")[0]
    return name or None


def arrows() -> Iterator[tuple[str, str, str]]:
    """From part, to part, and the place that says so, for all of `guard`."""
    for module in GUARD.values():
        for imported in module.imports():
            target = module_of(imported)
            if target is None or target not in GUARD:
                continue
            here, there = part_of(module.name), part_of(target)
            if here != there:
                yield here, there, f"{module.path.relative_to(ROOT)}:{imported.line}"


def test_every_module_belongs_to_a_part() -> None:
    strangers = [
        name for name in GUARD if name.count(".") and not any(_within(name, p) for p in ARROWS)
    ]
    assert not strangers, "name them in the table of arrows"
    assert all(part in GUARD for part in ARROWS)


def test_the_tables_arrows_point_one_way() -> None:
    order = list(TopologicalSorter(ARROWS).static_order())  # raises CycleError
    assert set(order) == set(ARROWS)


def test_guard_follows_the_table() -> None:
    wrong = [f"{at}: {a} -> {b}" for a, b, at in arrows() if b not in ARROWS[a]]
    assert not wrong


def test_the_table_allows_no_more_than_is_used() -> None:
    used = {(a, b) for a, b, _ in arrows()}
    unused = [f"{a} -> {b}" for a, allowed in ARROWS.items() for b in allowed if (a, b) not in used]
    assert not unused


def test_guard_never_imports_the_trainers() -> None:
    wrong = [
        f"{module.name}:{imported.line}"
        for module in GUARD.values()
        for imported in module.imports()
        if imported.package in ("classifiers", "tests")
    ]
    assert not wrong


def test_the_trainers_import_no_serving() -> None:
    targets = {
        (module.name, part_of(target))
        for module in modules("classifiers")
        for imported in module.imports()
        if (target := module_of(imported)) in GUARD
    }
    outside = {pair for pair in targets if pair[1] not in TRAINERS_MAY_IMPORT}
    evaluating = {pair for pair in outside if pair[0].startswith(EVALUATIONS)}
    assert not outside - evaluating
    assert not {part for _, part in evaluating} - EVALUATIONS_MAY_IMPORT


def test_the_trainers_do_not_know_the_demo() -> None:
    wrong = [
        f"{module.name}:{imported.line}"
        for module in modules("classifiers")
        for imported in module.imports()
        if imported.name.startswith("classifiers.demo")
        and not module.name.startswith("classifiers.demo")
    ]
    assert not wrong


def test_no_import_cycles() -> None:
    graph = {name: _executed_by(module) for name, module in OURS.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(OURS)


def _executed_by(module: Module) -> set[str]:
    """What importing `module` executes: the modules it names and the packages they stand in."""
    executed: set[str] = set()
    for imported in module.imports():
        target = module_of(imported)
        while target and not module.name.startswith(f"{target}.") and target != module.name:
            executed.add(target)
            target = target.rpartition(".")[0]
    return executed


@pytest.mark.parametrize("library", LIBRARIES)
def test_libraries_stay_where_they_belong(library: str) -> None:
    users = {
        part_of(module.name)
        for module in GUARD.values()
        for imported in module.imports()
        if imported.package == library
    }
    assert users, "not used any more"
    assert users <= LIBRARIES[library]


def test_guard_uses_no_training_library() -> None:
    wrong = [
        f"{module.name}:{imported.line} {imported.name}"
        for module in GUARD.values()
        for imported in module.imports()
        if imported.package in TRAINING_ONLY
    ]
    assert not wrong


def test_heavy_libraries_are_imported_late() -> None:
    wrong = [
        f"{module.path.relative_to(ROOT)}:{imported.line} {imported.name}"
        for module in OURS.values()
        if module.name not in HEAVY_MODULES
        for imported in module.imports()
        if not imported.lazy and (imported.package in HEAVY or module_of(imported) in HEAVY_MODULES)
    ]
    assert not wrong
    assert all(name in OURS and not name.startswith("guard") for name in HEAVY_MODULES)


@pytest.mark.parametrize(
    "module", ["guard.app", "guard.cli", "guard.settings", "guard.__main__", "classifiers.cli"]
)
def test_importing_loads_nothing_heavy(module: str) -> None:
    """In a fresh interpreter, warnings as errors."""
    code = f"import sys, {module}; print(*sorted({HEAVY!r} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
