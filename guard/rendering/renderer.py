"""How calls are rendered, and the rendering of one, made once screening asks for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from guard.rendering.chat_template import SETTINGS, ChatTemplate
from guard.rendering.picture_texts import readable_body
from guard.rendering.plain_order import by_item, forced_orders, places_of, plain_rendering
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
        """The template's name and the fields that texts stand in, or that it follows."""
        fields = dict.fromkeys(item.path[0] for item in self.call.items)
        fields |= dict.fromkeys((*SETTINGS, "chat_template_kwargs"))
        said = {str(field): self.call.body.get(str(field)) for field in fields}
        return self.template + "\n" + serialise(said).decode("utf-8", "surrogatepass")

    def render(self) -> Rendering:
        """As `make` renders it, once."""
        return self._made

    @cached_property
    def _made(self) -> Rendering:
        return self.make(self.call)


class Renderer:
    """Renders calls as their model's template does; in the plain order where there is none."""

    def __init__(self, templates: Mapping[str, ChatTemplate] | None = None) -> None:
        """`templates` are the models', by name."""
        self._templates = templates or {}

    def source(self, call: Call) -> CallRendering:
        """The rendering of a call, not made yet."""
        template = self._templates.get(call.model)
        if template is None or not isinstance(call.body.get("messages"), list):
            return CallRendering(call, plain_rendering)
        return CallRendering(call, partial(template_rendering, template), template.identity)


def template_rendering(template: ChatTemplate, call: Call) -> Rendering:
    """The rendering by a model's template: models read its order, and who finds words that and
    the plain one with its variants. The plain one alone where the template fails."""
    plain, places = plain_rendering(call), places_of(call)
    orders = template.orders(readable_body(call), places)
    if not orders or not orders[0]:
        return plain
    forced = tuple(forced_orders(call.body, places, orders[0]))
    return Rendering((tuple(by_item(call, orders[0])),), (*orders, *plain.variants, *forced))
