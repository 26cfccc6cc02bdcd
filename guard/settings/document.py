"""YAML files that people write: their content, and the line of each key.

PyYAML's node tree has what is needed: a mark on every key, and repeated keys before they are lost
in a dict. A second parser that keeps both (ruamel.yaml) would read YAML 1.2, where `on`, `yes` and
`010` mean something else than in the files that were written for this one.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import yaml

from guard.settings.patterns import NAME
from guard.terms.errors import ConfigError

MERGE = "tag:yaml.org,2002:merge"  # of the key `<<`
Step = str | int
"""A key of a mapping, or the place of an item in a list, from 0."""


class Document:
    """A YAML file as it was read: `content`, and where its keys stand."""

    def __init__(self, file: Path, text: str) -> None:
        """Parse `text`, the content of `file`. Raises ConfigError naming file and line: of what is
        no YAML, and of every key that stands twice in one mapping."""
        self.file = file
        loader = yaml.SafeLoader(text)
        try:
            self._root = loader.get_single_node()
            self._refuse_repeated_keys(loader)
            # Lines are looked up in the tree as written; construction merges `<<` into it.
            self.content: Any = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(_said(file, error)) from error
        except RecursionError:
            raise ConfigError(f"{file}: nested too deeply") from None
        finally:
            loader.dispose()

    @classmethod
    def read(cls, file: Path) -> Self:
        """The document in a file; ConfigError where it cannot be read."""
        try:
            text = file.read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{file}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{file}: not UTF-8: {error.reason}") from error
        return cls(file, text)

    def mapping(self) -> dict[Any, Any]:
        """The content, which must be a mapping; else ConfigError."""
        if not isinstance(self.content, dict):
            raise ConfigError(f"{self.file}: the top level must be a mapping")
        return self.content

    def line(self, path: Sequence[Step]) -> int | None:
        """The line (from 1) of the last step of `path` that stands in the file; None for none."""
        node, line = self._root, None
        for step in path:
            inner = _inner(node, step)
            if inner is None:
                break
            node, line = inner
        return line

    def place(self, path: Sequence[Step]) -> str:
        """File and line of a path, as editors and terminals read it."""
        line = self.line(path)
        return f"{self.file}:{line}" if line else str(self.file)

    def named(self, path: Sequence[Step]) -> tuple[Step, ...]:
        """`path` with items of lists by their `name`, where they have one."""
        value, steps = self.content, []
        for step in path:
            value = _value(value, step)
            name = value.get("name") if isinstance(step, int) and isinstance(value, dict) else None
            steps.append(name if isinstance(name, str) and re.match(NAME, name) else step)
        return tuple(steps)

    def _refuse_repeated_keys(self, loader: yaml.SafeLoader) -> None:
        repeated = [
            f"{self.file}:{line}: {'.'.join(path)}: this key stands in line {first} already"
            for path, line, first in _repeated(self._root, loader, (), set())
        ]
        if repeated:
            raise ConfigError("\n".join(repeated))


def _repeated(
    node: yaml.Node | None, loader: yaml.SafeLoader, path: tuple[str, ...], seen: set[int]
) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """Path, line and first line of every key that stands in a mapping for a second time."""
    if node is None or id(node) in seen:  # an alias leads to a node that was looked at
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _repeated(item, loader, (*path, str(index)), seen)
    if isinstance(node, yaml.MappingNode):
        first: dict[object, int] = {}
        for key, value in node.value:
            step = (*path, str(key.value))
            if isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
                line = key.start_mark.line + 1
                meant = loader.construct_object(key)  # `a` and "a" are one key, `1` and "1" two
                if meant in first:
                    yield step, line, first[meant]
                first.setdefault(meant, line)
            yield from _repeated(value, loader, step, seen)


def _said(file: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f"{file}:{mark.line + 1}" if mark else str(file)
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    return f"{place}: not YAML: {problem}"


def _inner(node: yaml.Node | None, step: Step) -> tuple[yaml.Node, int] | None:
    """What stands at a step into a node, and the line where it begins."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item = node.value[step]
        return item, item.start_mark.line + 1
    return None


def _value(value: Any, step: Step) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    is_item = isinstance(value, list) and isinstance(step, int) and step < len(value)
    return value[step] if is_item else None
