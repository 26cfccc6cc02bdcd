"""Size, names, docstrings and tests of the sources: what review would otherwise have to watch."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.source_tree import ROOT, Function, Module, modules

MOST_FILE_LINES = 300
MOST_FUNCTION_LINES = 60
VAGUE_NAMES = {"base", "common", "core", "handler", "helpers", "manager", "misc", "util", "utils"}
OURS = (*modules("guard"), *modules("classifiers"))
ALL = (*OURS, *modules("tests"))

# Modules of `guard` without a test file of their own, and the one that tests them.
TESTED_ELSEWHERE: Mapping[str, str] = {
    "guard.app": "guard/test_endpoint.py",  # every rig there is a whole app
    "guard.errors": "guard/wire/test_envelopes.py",
    "guard.reply_sender": "guard/test_endpoint.py",
    "guard.parts": "guard/test_reload.py",
    "guard.operations.comparison": "guard/screening/test_canary.py",
    "guard.artifact_commands": "guard/test_promotion.py",
    "guard.limits.charge": "guard/limits/test_limiter.py",
    "guard.manifest": "guard/test_artifacts.py",
    "guard.detectors.contract": "guard/detectors/test_loading.py",  # types only
    "guard.operations.metrics": "guard/test_endpoint.py",
    "guard.operations.shared_metrics": "guard/test_workers.py",
    "guard.operations.trace": "guard/operations/test_tracing.py",
    "guard.operations.traffic.migrations.env": "guard/operations/traffic/test_migration.py",
    "guard.operations.traffic.migrations.versions.first_tables": (
        "guard/operations/traffic/test_migration.py"
    ),
    "guard.operations.traffic.reading": "guard/operations/test_traffic_store.py",
    "guard.operations.traffic.records": "guard/operations/test_journal.py",
    "guard.operations.traffic.removal": "guard/operations/test_traffic_store.py",
    "guard.operations.traffic.rows": "guard/operations/traffic/test_intake.py",
    "guard.operations.traffic.schema": "guard/operations/traffic/test_migration.py",
    "guard.screening.ciphers": "guard/screening/test_views.py",
    "guard.screening.encodings": "guard/screening/test_views.py",
    "guard.screening.glyphs": "guard/screening/test_views.py",
    "guard.screening.lookalikes": "guard/screening/test_views.py",
    "guard.screening.plausibility": "guard/screening/test_views.py",
    "guard.screening.spelling": "guard/screening/test_views.py",
    "guard.screening.policy": "guard/screening/test_screener.py",
    "guard.screening.verdict": "guard/screening/test_screener.py",
    "guard.settings.configuration": "guard/test_settings.py",
    "guard.settings.places": "guard/test_settings.py",
    "guard.settings.schema": "test_docs.py",
    "guard.settings.keys": "guard/test_settings.py",
    "guard.settings.redis": "guard/test_settings.py",
    "guard.settings.loading": "guard/test_settings.py",
    "guard.settings.policies": "guard/test_settings.py",
    "guard.settings.observability": "guard/operations/test_logs.py",
    "guard.settings.sections": "guard/test_settings.py",
    "guard.settings.store": "guard/test_settings.py",
    "guard.settings.upstream": "guard/test_settings.py",
    "guard.wire.contract": "guard/wire/test_messages_answers.py",  # types only
    "guard.wire.fields": "guard/wire/test_chat.py",
    "guard.wire.protocols": "test_docs.py",
    "guard.wire.sampling": "guard/wire/test_chat.py",
    "guard.wire.messages.counting": "guard/wire/test_messages_fields.py",
    "guard.wire.messages.errors": "guard/wire/test_messages_answers.py",
    "guard.wire.messages.protocol": "guard/wire/test_messages_answers.py",
    "guard.wire.messages.settings": "guard/wire/test_messages_fields.py",
    "guard.wire.responses.call": "guard/wire/test_responses_fields.py",
    "guard.wire.responses.protocol": "guard/wire/test_responses_answers.py",
    "guard.wire.responses.settings": "guard/wire/test_responses_fields.py",
}
# Test files of `guard` that mirror no module.
TESTS_OF_MANY = {
    "guard/operations/test_store_drills.py",  # the store's faults under a whole proxy
    "guard/wire/test_messages_clients.py",  # Anthropic's own client
    "guard/wire/test_responses_clients.py",  # OpenAI's own client
}


def shown(module: Module, line: int = 1) -> str:
    """A place in a file, as editors read it."""
    return f"{module.path.relative_to(ROOT)}:{line}"


def functions(module: Module) -> Iterator[Function]:
    """Every function and method, nested ones too."""
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def undocumented(module: Module) -> Iterator[str]:
    """Public functions and classes without a docstring, and methods of public classes."""
    waiting: list[ast.Module | ast.ClassDef] = [module.tree]
    while waiting:
        for node in waiting.pop().body:
            if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
                continue
            if not ast.get_docstring(node):
                yield f"{shown(module, node.lineno)} {node.name}"
            if isinstance(node, ast.ClassDef):
                waiting.append(node)


def comments(module: Module) -> Iterator[tuple[int, str]]:
    """Line and text of every comment."""
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def mirrors(module: Module) -> set[Path]:
    """Where a module's own tests may stand: `wire/messages/answers` in `test_messages_answers`."""
    folder, _, name = module.name.rpartition(".")
    folder = "tests/" + folder.replace(".", "/")
    above, _, last = folder.rpartition("/")
    return {ROOT / folder / f"test_{name}.py", ROOT / above / f"test_{last}_{name}.py"}


def test_files_are_short() -> None:
    assert not [shown(m) for m in OURS if len(m.text.splitlines()) > MOST_FILE_LINES]


def test_functions_are_short() -> None:
    long = [
        f"{shown(module, function.lineno)} {function.name}"
        for module in ALL
        for function in functions(module)
        if (function.end_lineno or 0) - function.lineno >= MOST_FUNCTION_LINES
    ]
    assert not long


def test_names_say_what_is_inside() -> None:
    assert not [shown(m) for m in ALL if VAGUE_NAMES & set(m.name.split("."))]


def test_modules_say_what_they_are_for() -> None:
    documented = [m for m in ALL if not (m.is_package and m.name.startswith("tests"))]
    assert not [shown(m) for m in documented if not ast.get_docstring(m.tree)]


def test_public_names_of_guard_are_documented() -> None:
    assert not [place for module in modules("guard") for place in undocumented(module)]


def test_nothing_prints() -> None:
    calls = [
        shown(module, node.lineno)
        for module in OURS
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert not calls


@pytest.mark.parametrize("pattern", [r"#\s*type:\s*ignore(?!\[)", r"#\s*noqa(?!:)"])
def test_silenced_checks_are_named(pattern: str) -> None:
    unnamed = [
        shown(module, line)
        for module in ALL
        for line, comment in comments(module)
        if re.search(pattern, comment)
    ]
    assert not unnamed


def test_every_module_of_guard_has_its_tests() -> None:
    tested = [m for m in modules("guard") if not m.is_package and m.name != "guard.__main__"]
    own = {m.name for m in tested if any(file.exists() for file in mirrors(m))}
    missing = {m.name for m in tested} - own - TESTED_ELSEWHERE.keys()
    assert not missing, "write tests/guard/…, or say where it is tested"
    assert TESTED_ELSEWHERE.keys() <= {m.name for m in tested} - own, "not needed any more"
    assert not [file for file in TESTED_ELSEWHERE.values() if not (ROOT / "tests" / file).exists()]


def test_every_test_of_guard_has_its_module() -> None:
    known = {file for module in modules("guard") for file in mirrors(module)}
    known |= {ROOT / "tests" / file for file in TESTS_OF_MANY}
    assert not set((ROOT / "tests" / "guard").rglob("test_*.py")) - known
