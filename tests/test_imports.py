"""What is imported where, beside the layers that `lint-imports` holds: libraries, and laziness."""

import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.source_tree import ROOT, Import, modules

# Who may speak to the network, the web framework and the operator: everything else is sans-IO.
LIBRARIES: Mapping[str, set[str]] = {
    "aiohttp": {"detectors", "upstream"},
    "asyncio": {
        *("answers", "detectors", "gateway", "images", "limits", "recognition", "screening"),
        *("server", "upstream"),
    },
    "PIL": {"images"},
    "rapidocr": {"images"},
    "fastapi": {"server"},
    "starlette": {"server"},
    "uvicorn": {"commands", "server"},
    "typer": {"commands"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "cryptography": {"store"},
    "redis": {"limits", "recognition"},
    "opentelemetry": {"observability"},
    "requests": {"observability"},
    "urllib3": {"commands", "encoders"},  # commands and screening's threads block
    "yaml": {"settings"},
    "prometheus_client": {"observability"},
    "onnxruntime": {"encoders"},
}
TRAINING_ONLY = {
    *("accelerate", "datasets", "datasketch", "huggingface_hub", "matplotlib", "nevergrad", "onnx"),
    *("pyarrow", "rich", "scipy", "sklearn", "torch", "transformers"),
}
HEAVY = {
    *("accelerate", "datasets", "datasketch", "huggingface_hub", "matplotlib", "nevergrad", "onnx"),
    *("onnxruntime", "onnxscript", "pyarrow", "ray", "requests", "scipy", "sklearn", "torch"),
    *("PIL", "cv2", "rapidocr", "transformers"),
}
# Modules that are heavy themselves: they subclass or annotate with what they import, so they are
# imported late instead.
HEAVY_MODULES = {
    "classifiers.encoder.class_probabilities": "defines a torch module",
    "classifiers.encoder.pooled": "defines a torch module",
    "classifiers.malicious.fine_tuning.tower": "defines a torch module",
}

GUARD = {module.name: module for module in modules("guard")}
OURS = GUARD | {module.name: module for module in modules("classifiers")}


def module_of(imported: Import) -> str | None:
    """The module of ours that an import executes last; None for other packages."""
    name = imported.name
    while name and name not in OURS:
        name = name.rpartition(".")[0]
    return name or None


@pytest.mark.parametrize("library", LIBRARIES)
def test_libraries_stay_in_their_rooms(library: str) -> None:
    users = {
        module.name.split(".")[1]
        for module in GUARD.values()
        for imported in module.imports()
        if imported.package == library
    }
    assert users == LIBRARIES[library]


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
    "module",
    [
        *("guard.server.app", "guard.commands.main", "guard.settings", "guard.__main__"),
        "classifiers.commands.main",
    ],
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
