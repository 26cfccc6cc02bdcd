"""Who wrote what: the one table from a speaker's role, or a field's name, to its author.

Responses and Messages become chat messages first, so their roles are these too: what a tool gave
back is a `tool` message there.
"""

from collections.abc import Mapping

from guard.terms.item import Author, Item, Path

AUTHORS: Mapping[str, Author] = {
    "system": "developer",
    "developer": "developer",
    "user": "user",
    "prompt": "user",
    "input": "user",
    "suffix": "user",
    "assistant": "user",
    "tool": "third_party",
    "function": "third_party",
    "documents": "third_party",
}
"""Any other field is a setting (tools, schemas, response formats …): the developer's.

What a caller says the assistant has said is the caller's text, until the guard recognises it as an
answer that it let out itself (`guard.recognition`).
"""


def author_of(role: str) -> Author:
    """Whose words stand under a role, or in a field of that name."""
    return AUTHORS.get(role, "developer")


def authored(path: Path, role: str, text: str, *, corruptible: bool = False) -> Item:
    """A text of a request as an item, with its author."""
    return Item(path, role, text, corruptible, author_of(role))
