"""The free text that goes to a custom tool, inside the JSON arguments of the function it became.

A chat call has functions only. As in vLLM's own translation, a custom tool is a function of one
string, `input`.
"""

import json
import re

from guard.terms.json import JsonObject

FIELD = "input"
PARAMETERS: JsonObject = {
    "type": "object",
    "properties": {
        FIELD: {"type": "string", "description": "The freeform text payload for this tool."}
    },
    "required": [FIELD],
    "additionalProperties": False,
}

_HEAD = re.compile(rf'\s*\{{\s*"{FIELD}"\s*:\s*"')
_HIGH = r"u[dD][89abAB][0-9a-fA-F]{2}"
_LOW = r"u[dD][c-fC-F][0-9a-fA-F]{2}"
# Whole characters: an escape that is cut waits, and so does the first half of a pair.
_CHARACTERS = re.compile(
    rf'(?:[^"\\]++|\\["\\/bfnrt]|\\{_HIGH}\\{_LOW}|\\(?!{_HIGH})u[0-9a-fA-F]{{4}})*+'
)


def encode_input(text: str) -> str:
    """Arguments that hold `text`, in the form in which vLLM shows them to the model."""
    return json.dumps({FIELD: text}, ensure_ascii=False)


def decode_input(arguments: str) -> str:
    """The text in complete arguments; of another form, the arguments as they are."""
    try:
        found = json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments
    text = found.get(FIELD) if isinstance(found, dict) else None
    return text if isinstance(text, str) else arguments


class CustomInput:
    """Reads the text out of arguments that come in pieces; all pieces together are `decode_input`'s
    text, unless the arguments are of another form: then `finish` gives the whole once more."""

    def __init__(self) -> None:
        self._waiting = ""
        self._begun = False
        self._ended = False
        self._read: list[str] = []

    def feed(self, piece: str) -> str:
        """What `piece` adds to the text; often nothing."""
        if self._ended:
            return ""
        self._waiting += piece
        if not self._begun:
            head = _HEAD.match(self._waiting)
            if head is None:
                return ""
            self._begun = True
            self._waiting = self._waiting[head.end() :]
        return self._taken()

    def _taken(self) -> str:
        whole = _CHARACTERS.match(self._waiting)
        end = whole.end() if whole else 0
        text, self._waiting = self._waiting[:end], self._waiting[end:]
        self._ended = self._waiting[:1] == '"'
        read = str(json.loads(f'"{text}"', strict=False))
        self._read.append(read)
        return read

    def finish(self, arguments: str) -> str:
        """What is missing of the text of the complete `arguments`."""
        text, read = decode_input(arguments), "".join(self._read)
        return text[len(read) :] if text.startswith(read) else text
