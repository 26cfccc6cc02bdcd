"""The sources as the structure tests read them: modules, their syntax trees, what they import."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name; `lazy` when it is not imported with the module that says so."""

    name: str
    line: int
    lazy: bool

    @property
    def package(self) -> str:
        """The name's first part."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Module:
    """A source file, parsed."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        """Whether it is a package's `__init__.py`."""
        return self.path.name == "__init__.py"

    def imports(self) -> Iterator[Import]:
        """Every import statement's names, those inside functions and conditions too."""
        return _imports(self.tree, lazy=False)


@cache
def modules(package: str) -> tuple[Module, ...]:
    """Every module below a folder of the repository, by name."""
    files = sorted((ROOT / package).rglob("*.py"))
    return tuple(_read(file) for file in files if "node_modules" not in file.parts)


def _read(file: Path) -> Module:
    parts = file.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    text = file.read_text(encoding="utf-8")
    return Module(name, file, text, ast.parse(text, filename=str(file)))


def _imports(node: ast.AST, lazy: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(alias.name, node.lineno, lazy) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        names = (f"{node.module}.{alias.name}" for alias in node.names)
        yield from (Import(name, node.lineno, lazy) for name in names)
    lazy = lazy or isinstance(node, Function | ast.Lambda) or _is_for_type_checkers(node)
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, lazy)


def _is_for_type_checkers(node: ast.AST) -> bool:
    if not isinstance(node, ast.If):
        return False
    test = node.test
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"
