"""How calls are rendered, and the rendering of one, made once screening asks for it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from guard.rendering.plain_order import plain_rendering
from guard.terms.item import Call
from guard.terms.rendering import Rendering
from guard.wire.json_body import serialise


@dataclass(frozen=True)
class CallRendering:
    """A call and how it is rendered; `template` names what its order follows."""

    call: Call
    make: Callable[[Call], Rendering]
    template: str = ""

    @cached_property
    def identity(self) -> str:
        """The template's name and the fields that texts stand in."""
        fields = dict.fromkeys(item.path[0] for item in self.call.items)
        said = {str(field): self.call.body.get(str(field)) for field in fields}
        return self.template + "\n" + serialise(said).decode("utf-8", "surrogatepass")

    def render(self) -> Rendering:
        """As `make` renders it."""
        return self.make(self.call)


class Renderer:
    """Renders calls in the plain order of their texts."""

    def source(self, call: Call) -> CallRendering:
        """The rendering of a call, not made yet."""
        return CallRendering(call, plain_rendering)
