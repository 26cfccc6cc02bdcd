"""What a request's rendering follows from is part of what it is remembered by."""

from guard.detectors.names.phrases import PhraseList
from guard.observability.metrics import Metrics
from guard.rendering.renderer import Renderer
from guard.screening.memory import Memory
from guard.screening.reading import Reading
from guard.screening.score_cache import ScoreCache
from guard.screening.views.view import ViewLimits
from guard.terms.item import Call
from guard.terms.json import JsonObject
from tests.guard.rendering.splits import PHRASE, assistant, body, parse, user


def calling(key: str, arguments: str) -> Call:
    """Items are the lines of the call: where the object is cut makes no difference to them."""
    function: JsonObject = {"name": key, "arguments": arguments}
    return parse(body(user("Go."), assistant(None, tool_calls=[{"function": function}])))


def reading(call: Call, cache: ScoreCache) -> Reading:
    memory = Memory(cache, "shop")
    return Reading(call.items, None, ViewLimits(), memory, rendering=Renderer().source(call))


def test_equal_items_of_different_bodies_are_no_known_request() -> None:
    phrases, cache = PhraseList([PHRASE]), ScoreCache(1 << 20, Metrics())
    first = calling("f", '{"violet harb": "our protocol"}')
    other = calling("f", '["violet harb", "our protocol"]')
    sources = [Renderer().source(call) for call in (first, first, other)]

    reading(first, cache).item_scores(phrases, 0.5)

    assert sources[0].identity == sources[1].identity != sources[2].identity
    assert reading(first, cache).known_scores(phrases, 0.5) is not None
    assert reading(other, cache).known_scores(phrases, 0.5) is None
