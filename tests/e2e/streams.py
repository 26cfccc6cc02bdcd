"""Chat streams folded into one answer: vLLM may put two tokens into one event when it is quick."""

import json
from typing import Any

JsonObject = dict[str, Any]

PIECES = ("content", "text", "arguments")


def folded(stream: str) -> JsonObject:
    """A stream as one object: deltas joined by choice, the rest as last said; `done` if it ended.

    Ids and times of creation are left out, so that two runs of one request can be compared.
    """
    answer: JsonObject = {"choices": {}, "done": False}
    for line in filter(None, stream.splitlines()):
        data = line.removeprefix("data: ")
        if data == "[DONE]":
            answer["done"] = True
            continue
        event = json.loads(data)
        for choice in event.pop("choices", []):
            _fold(answer["choices"].setdefault(choice["index"], {}), choice)
        answer.update({key: event[key] for key in event.keys() - {"id", "created"}})
    return answer


def _fold(into: JsonObject, new: JsonObject) -> None:
    for key, value in new.items():
        held = into.get(key)
        if isinstance(value, dict):
            if held is None:
                into[key] = {}
            _fold(into[key], value)
        elif key == "tool_calls" and value:
            _fold(into.setdefault(key, {}), {str(call["index"]): call for call in value})
        elif held is not None and (isinstance(value, list) or key in PIECES):
            into[key] = held + value
        elif value is not None or key not in into:
            into[key] = value
