"""What can be wrong with a picture, in words that a client can act on."""

from collections.abc import Mapping

from guard.terms.errors import RequestError

Fault = str
"""A word below; the worker's answer has it too."""

MESSAGES: Mapping[Fault, str] = {
    "format": "is no PNG, JPEG, GIF or WebP file",
    "broken": "cannot be decoded",
    "bytes": "has more than {bytes} bytes",
    "pixels": "has more than {pixels} pixels",
    "frames": "has more than {frames} frames",
    "base64": "is no base64",
    "count": "is one more than the {count} that a request may have",
}
TOO_LARGE = frozenset({"bytes", "pixels", "frames", "count"})


class PictureError(Exception):
    """A picture that is not taken; `fault` is a word of `MESSAGES`."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


def request_error(fault: Fault, number: int, param: str, limits: Mapping[str, int]) -> RequestError:
    """The error for picture `number` of a request, counted from 1; `limits` by name."""
    code = "image_too_large" if fault in TOO_LARGE else "image_invalid"
    said = MESSAGES[fault].format(**limits)
    return RequestError(f"Picture {number} of the request {said}", param=param, code=code)
