"""Size, names and places of the sources: what neither the linter nor the import contracts see."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.source_tree import ROOT, Function, Module, modules

MOST_FILE_LINES = 300
MOST_FUNCTION_LINES = 60
MOST_MODULES = 20
VAGUE_NAMES = {"base", "common", "core", "handler", "helpers", "manager", "misc", "util", "utils"}
PRODUCT = (*modules("guard"), *modules("classifiers"))
ALL = (*PRODUCT, *modules("lab"), *modules("tests"))

# Test files of `guard` that mirror no module.
TESTS_OF_MANY = {
    "guard/rendering/test_price.py",  # what a rendered request costs to read
    "guard/screening/test_shadows.py",  # the screener's half that no request waits for
    "guard/server/test_known_texts.py",  # what of a request is known, from one to the next
    "guard/server/test_pictures.py",  # pictures, in every protocol
    "guard/server/test_screening_budget.py",  # what would cost too much, in every protocol
    "guard/server/test_screening_failures.py",  # what could not be judged, in every protocol
    "guard/server/test_split_phrases.py",  # what is split over fields, in every protocol
    "guard/store/test_store_drills.py",  # the store's faults under a whole proxy
    "guard/wire/test_client_shapes.py",  # what many clients send
    "guard/wire/test_messages_clients.py",  # Anthropic's own client
    "guard/wire/test_responses_clients.py",  # OpenAI's own client
}


def shown(module: Module, line: int = 1) -> str:
    """A place in a file, as editors read it."""
    return f"{module.path.relative_to(ROOT)}:{line}"


def functions(module: Module) -> Iterator[Function]:
    """Every function and method, nested ones too."""
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def mirrors(module: Module) -> set[Path]:
    """Where a module's own tests may stand: `wire/messages/answers` in `test_messages_answers`."""
    folder, _, name = module.name.rpartition(".")
    folder = "tests/" + folder.replace(".", "/")
    above, _, last = folder.rpartition("/")
    return {ROOT / folder / f"test_{name}.py", ROOT / above / f"test_{last}_{name}.py"}


def test_files_are_short() -> None:
    assert not [shown(m) for m in PRODUCT if len(m.text.splitlines()) > MOST_FILE_LINES]


def test_functions_are_short() -> None:
    long = [
        f"{shown(module, function.lineno)} {function.name}"
        for module in ALL
        for function in functions(module)
        if (function.end_lineno or 0) - function.lineno >= MOST_FUNCTION_LINES
    ]
    assert not long


def test_folders_are_small() -> None:
    folders = {module.path.parent for module in PRODUCT}
    sizes = {folder: sum(m.path.parent == folder for m in PRODUCT) - 1 for folder in folders}
    assert not {str(folder): size for folder, size in sizes.items() if size > MOST_MODULES}


def test_packages_hold_folders_only() -> None:
    for package in ("guard", "classifiers"):
        files = {file.name for file in (ROOT / package).iterdir() if file.is_file()}
        assert files == {"__init__.py", "__main__.py", "py.typed"}


def test_names_say_what_is_inside() -> None:
    assert not [shown(m) for m in ALL if VAGUE_NAMES & set(m.name.split("."))]


def test_every_test_of_guard_has_its_module() -> None:
    known = {file for module in modules("guard") for file in mirrors(module)}
    known |= {ROOT / "tests" / file for file in TESTS_OF_MANY}
    assert not set((ROOT / "tests" / "guard").rglob("test_*.py")) - known
