"""Pictures of a call: each decoded, written anew and put in its place, and an item of its own; so
is the text in it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from guard.images.faults import PictureError, request_error
from guard.images.memory import PictureMemory, Seen
from guard.images.processes import Processes
from guard.settings import Images
from guard.terms.errors import ScreeningError
from guard.terms.item import Call, Item, Picture
from guard.terms.json import JsonObject
from guard.wire.authors import author_of, authored
from guard.wire.call import replace_at
from guard.wire.pictures import Found, base64_bytes, data_url, pictures_of


class Admission:
    """Lets pictures in; what was judged is what the model sees."""

    def __init__(self, settings: Images) -> None:
        self._settings = settings
        self._limits = {name: getattr(settings, name) for name in LIMITS}
        self._processes = Processes(settings)
        self._memory = PictureMemory(settings.cache_bytes)

    async def admit(self, call: Call, owner: str) -> Call:
        """The call with every picture written anew; `owner` is the API key's name.

        Raises RequestError naming the picture that is not taken, ScreeningError where there is no
        time or no room.
        """
        found = pictures_of(call.body) if self._settings.enabled else ()
        if not found:
            return call
        self._check_count(found)
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                seen = [await self._seen(each, owner) for each in found]
        except TimeoutError:
            raise ScreeningError("timeout") from None
        body = await asyncio.to_thread(_with_pictures, call.body, found, seen)
        items = call.items
        if call.upstream_path in JUDGED:
            items = with_items(call, found, seen)
        return replace(call, body=body, items=items)

    def _check_count(self, found: Sequence[Found]) -> None:
        most = self._settings.count
        if len(found) > most:
            raise request_error("count", most + 1, found[most].param, self._limits)

    async def _seen(self, found: Found, owner: str) -> Seen:
        try:
            return await self._decoded(found.url, owner)
        except PictureError as error:
            raise request_error(error.fault, found.number, found.param, self._limits) from None

    async def _decoded(self, url: str, owner: str) -> Seen:
        if len(url) > self._settings.bytes * 2:  # base64 and a media type: it cannot be less
            raise PictureError("bytes")
        data = await asyncio.to_thread(base64_bytes, url)
        if data is None:
            raise PictureError("base64")
        if len(data) > self._settings.bytes:
            raise PictureError("bytes")
        place = await asyncio.to_thread(self._memory.place, owner, data)
        if (known := self._memory.get(place)) is not None:
            return known
        bounds: JsonObject = {"pixels": self._settings.pixels, "frames": self._settings.frames}
        said, made = await self._processes.ask(bounds, data)
        if (fault := said.get("fault")) is not None:
            raise PictureError(str(fault))
        if "unread" in said:
            raise ScreeningError("failed")
        seen = Seen(_picture_of(said, made), str(said["text"]))
        self._memory.keep(place, seen)
        return seen

    def begin(self) -> None:
        """Be ready for the first picture."""
        if self._settings.enabled:
            self._processes.begin()

    async def close(self) -> None:
        """End the processes."""
        await self._processes.close()


LIMITS = ("count", "bytes", "pixels", "frames")
JUDGED = frozenset({"/v1/chat/completions", "/v1/embeddings"})
"""The upstream's routes for which prompts are judged; counting tokens answers no question."""


def with_items(call: Call, found: Sequence[Found], seen: Sequence[Seen]) -> tuple[Item, ...]:
    """The call's items with its pictures among them, in the order in which the model reads them;
    what is written in a picture stands behind it."""
    items = list(call.items)
    for each, (picture, text) in reversed(list(zip(found, seen, strict=True))):
        role = "tool" if each.message in call.quoted else each.role
        place = next((i for i, item in enumerate(items) if _is_behind(item, each)), len(items))
        shown = [Item(each.path, role, picture, author=author_of(role))]
        if text.strip():
            shown.append(authored(each.path, role, text))
        items[place:place] = shown
    return tuple(items)


def _is_behind(item: Item, found: Found) -> bool:
    """Whether an item comes after a picture: in a later part or message, or beside the content."""
    if item.path[0] != "messages" or len(item.path) < len(found.path) - 1:
        return True
    message = item.path[1]
    if message != found.message:
        return isinstance(message, int) and message > found.message
    part = item.path[-1] if item.path[:-1] == found.path[:-1] else None
    return not isinstance(part, int) or part > found.part


def _with_pictures(body: JsonObject, found: Sequence[Found], seen: Sequence[Seen]) -> JsonObject:
    for each, (picture, _) in zip(found, seen, strict=True):
        url = data_url(picture.media_type, picture.data)
        body = replace_at(body, (*each.path, "image_url", "url"), url)
    return body


def _picture_of(said: JsonObject, data: bytes) -> Picture:
    width, height = (int(str(said[side])) for side in ("width", "height"))
    return Picture(str(said["media_type"]), data, width, height)
