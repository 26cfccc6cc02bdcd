"""Where in a YAML file a key stands, for errors that name the line."""

import re
from collections.abc import Sequence

import yaml

_PATH = re.compile(r"^([\w.@-]+): ")


class Places:
    """The lines of a file's keys."""

    def __init__(self, text: str) -> None:
        self._root = yaml.compose(text, Loader=yaml.SafeLoader)

    def line(self, path: Sequence[str | int], message: str = "") -> int | None:
        """The line (from 1) of the last step of `path` that stands in the file; None for none.

        An error about several sections has no path; its message begins with one, in which items
        of lists go by their names.
        """
        steps = list(path)
        if not steps and (found := _PATH.match(message)):
            steps = list(found[1].split("."))
        node, line = self._root, None
        for step in steps:
            inner = _inner(node, step)
            if inner is None:
                break
            node, line = inner
        return line


def _inner(node: yaml.Node | None, step: str | int) -> tuple[yaml.Node, int] | None:
    """What stands at a step into a node, and the line where it begins."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            if index == step or _name(item) == step:
                return item, item.start_mark.line + 1
    return None


def _name(item: yaml.Node) -> str | None:
    found = _inner(item, "name") if isinstance(item, yaml.MappingNode) else None
    return found[0].value if found and isinstance(found[0], yaml.ScalarNode) else None
