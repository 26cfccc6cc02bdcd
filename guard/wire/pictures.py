"""Pictures in chat bodies: all protocols' pictures become `image_url` parts of chat messages."""

import binascii
from typing import NamedTuple

import pybase64

from guard.terms.errors import RequestError
from guard.terms.item import Path
from guard.terms.json import JsonObject
from guard.wire.fields import FieldRules, FieldTable, Rule
from guard.wire.members import optional_word, require_string

IMAGE_URL = "image_url"
IMAGE_URL_FIELDS: FieldTable = {"url": Rule.CARRIED, "detail": Rule.CARRIED}
DETAILS = frozenset({"auto", "low", "high"})
DATA = "data:"
BASE64 = ";base64"
LONGEST_HEAD = 200
"""Characters before a data URL's comma."""


class Found(NamedTuple):
    """A picture in a chat body: its `number` among the request's, from 1, and where it stands."""

    number: int
    message: int
    part: int
    role: str
    url: str

    @property
    def path(self) -> Path:
        """The way to its part."""
        return ("messages", self.message, "content", self.part)

    @property
    def param(self) -> str:
        """The same as errors name it."""
        return f"messages.{self.message}.content.{self.part}"


def read_image_url(value: object, param: str, rules: FieldRules) -> JsonObject:
    """What an `image_url` part says, a lone URL too; raises RequestError naming what is wrong."""
    given = {"url": value} if isinstance(value, str) else value
    if not isinstance(given, dict):
        raise RequestError(f"'{param}' must be an object with a 'url'", param=param)
    prefix = f"{param}."
    accepted = rules.accept(given, IMAGE_URL_FIELDS, prefix)
    check_picture_url(require_string(accepted, "url", prefix), f"{prefix}url")
    optional_word(accepted, "detail", DETAILS, prefix)
    return accepted


def check_picture_url(url: str, param: str) -> None:
    """RequestError unless the picture stands in the URL itself."""
    if not url[: len(DATA)].lower() == DATA:
        raise RequestError(
            f"'{param}': pictures are taken as data URLs only ('data:image/png;base64,...'); "
            "nothing is fetched",
            param=param,
            code="image_url_refused",
        )


def pictures_of(body: JsonObject) -> tuple[Found, ...]:
    """The pictures of a chat body, in the order of its messages."""
    messages = body.get("messages")
    found: list[Found] = []
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        content = message.get("content") if isinstance(message, dict) else None
        for place, part in enumerate(content if isinstance(content, list) else ()):
            if part.get("type") == IMAGE_URL:
                url = part[IMAGE_URL]["url"]
                found.append(Found(len(found) + 1, index, place, str(message["role"]), url))
    return tuple(found)


def base64_bytes(url: str) -> bytes | None:
    """The bytes in a data URL; None where they are not in base64."""
    head, comma, data = url[:LONGEST_HEAD].partition(",")[0], ",", ""
    if len(head) < min(len(url), LONGEST_HEAD) and head.lower().endswith(BASE64):
        data = url[len(head) + len(comma) :]
    try:
        return pybase64.b64decode(data, validate=True) or None
    except (binascii.Error, ValueError):
        return None


def data_url(media_type: str, data: bytes) -> str:
    """A file as a URL."""
    return f"{DATA}{media_type}{BASE64},{pybase64.b64encode(data).decode()}"
