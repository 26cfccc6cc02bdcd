"""How the model reads a request: its texts in the order of the prompt, each with its item."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

LINE = "\n"


class Segment(NamedTuple):
    """A text of a request as it stands in the prompt, and the index of the item it belongs to.

    `joint` is what stands before it: nothing where the template puts it right behind the text
    before, else a line break in the place of the template's own words.
    """

    text: str
    item: int
    joint: str = LINE


Order = tuple[Segment, ...]
"""Segments in the order in which they are read."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """A request as the model reads it.

    `orders` are its prompts: one, or several that the model reads apart. `variants` are further
    orders that some template, or the answer that is asked for, may give the texts: for detectors
    that find words, which can read them at little cost.
    """

    orders: tuple[Order, ...] = ()
    variants: tuple[Order, ...] = ()


class RenderingSource(Protocol):
    """What renders a request, once it is asked to."""

    @property
    def identity(self) -> str:
        """What the rendering follows from: requests with the same items and identity have the
        same rendering."""
        ...

    def render(self) -> Rendering:
        """The rendering; blocking. Never raises for what stands in the request."""
        ...
