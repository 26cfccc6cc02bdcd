"""The order of a request's texts where no template tells: tools, documents, then turn by turn."""

from collections.abc import Iterable, Iterator, Mapping

from guard.rendering.forced import forced_texts
from guard.rendering.leaves import bare_leaves, leaves, pairs, texts_of
from guard.rendering.picture_texts import readable_body
from guard.terms.item import Call, Path
from guard.terms.json import JsonObject
from guard.terms.rendering import Order, Rendering, Segment

BEFORE = ("tools", "documents")
"""Fields that templates set before the first turn."""
PROMPTS = ("prompt", "input")
MESSAGE_FIELDS = ("name", "tool_call_id", "reasoning", "reasoning_content", "content", "tool_calls")
"""What a message has, in the order in which templates set it; other fields come last."""
SHOWN = frozenset({"content", "tool_calls"})
"""What of a message every template shows: others may leave the rest out."""
LABELS = frozenset({"name", "tool_call_id"})
"""What of a message says whose it is: to models each is read by itself alone."""
MOST_FORCED = 512
TAIL = 2
"""Texts at the prompt's end that stand before what the answer must say."""

Places = Mapping[Path, int]


def plain_rendering(call: Call) -> Rendering:
    """The rendering of a call by its body alone."""
    places = places_of(call)
    body = readable_body(call)
    messages = body.get("messages")
    if not isinstance(messages, list):
        return Rendering(tuple(_prompts(call, places)))
    whole, bare = (tuple(_chat(body, messages, places, bare=bare)) for bare in (False, True))
    own = tuple(s for s in bare if call.items[s.item].role == "user")
    variants = (*(_as_texts(order) for order in (whole, bare)), own)
    forced = (*_pairs(call.body, places), *forced_orders(call.body, places, whole))
    return Rendering((tuple(by_item(call, whole)),), (*variants, *forced))


def places_of(call: Call) -> Places:
    """Which item holds all of what stands at a path, by its index."""
    places: dict[Path, int] = {}
    for index, item in enumerate(call.items):
        if item.text:
            places.setdefault(item.path, index)
    return places


def by_item(call: Call, order: Order) -> Iterator[Segment]:
    """One segment for each item in the order that says something: a field by itself is read in
    its own windows."""
    seen: set[int] = set()
    for segment in order:
        is_label = call.items[segment.item].path[-1] in LABELS
        if segment.item not in seen and not is_label:
            seen.add(segment.item)
            yield segment._replace(text=call.items[segment.item].text)


def _as_texts(order: Order) -> Order:
    return tuple(segment for segment in order if segment.text)


def _prompts(call: Call, places: Places) -> Iterator[Order]:
    """Every prompt by itself: a model reads none of a list beside the others."""
    suffix = places.get(("suffix",))
    behind = () if suffix is None else (Segment(call.items[suffix].text, suffix),)
    for path, index in places.items():
        if path[0] in PROMPTS:
            order = (Segment(call.items[index].text, index), *behind)
            yield order
            yield from forced_orders(call.body, places, order)


def _chat(
    body: JsonObject, messages: list[JsonObject], places: Places, *, bare: bool
) -> Iterator[Segment]:
    for name in BEFORE:
        yield from _field(body.get(name), (name,), places, bare=bare)
    for index, message in enumerate(messages):
        names = [name for name in MESSAGE_FIELDS if name in message]
        names += [name for name in message if name not in MESSAGE_FIELDS and name != "role"]
        for name in names:
            if not bare or name in SHOWN:
                path: Path = ("messages", index, name)
                yield from _field(message[name], path, places, bare=bare)


def _field(value: object, path: Path, places: Places, *, bare: bool) -> Iterator[Segment]:
    if path[-1] == "content" and isinstance(value, list):
        for index, part in enumerate(value):
            found = part.get("text") or part.get("refusal")
            yield from _segments([found] if found else (), (*path, index), places, bare=bare)
    elif isinstance(value, str):
        yield from _segments([value], path, places, bare=bare)
    elif value is not None:
        found = bare_leaves(value) if bare else leaves(value)
        yield from _segments(texts_of(found), path, places, bare=bare)


def _segments(
    texts: Iterable[str], path: Path, places: Places, *, bare: bool = False
) -> Iterator[Segment]:
    item = places.get(path)
    if item is None:
        return
    for text in texts:
        shown = _stripped(text) if bare else text
        if shown:
            yield Segment(shown, item)


def _stripped(text: str) -> str:
    """The text with one blank at most at either end; nothing of one that is blank."""
    core = text.strip()
    if not core:
        return ""
    return f"{' ' * text[0].isspace()}{core}{' ' * text[-1].isspace()}"


def _pairs(body: JsonObject, places: Places) -> Iterator[Order]:
    item = places.get(("tools",))
    if item is not None:
        yield from ((Segment(key, item), Segment(text, item)) for key, text in pairs(body["tools"]))


def forced_orders(body: JsonObject, places: Places, order: Order) -> Iterator[Order]:
    """The end of a prompt and what the answer to it must say, one alternative after the other."""
    end = order[-TAIL:]
    given = 0
    for name, texts in forced_texts(body):
        item = places.get((name,))
        if item is None:
            continue
        if given == MOST_FORCED:
            return
        given += 1
        yield (*end, *(Segment(text, item) for text in texts))
