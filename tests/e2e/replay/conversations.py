"""What the replayed requests say: conversations, prompts, tools and schemas of our own."""

from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]

CITY: JsonObject = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Ulm", "Bonn"]}},
    "required": ["city"],
    "additionalProperties": False,
}
CLOCK: JsonObject = {"type": "object", "properties": {"zone": {"enum": ["UTC", "CET"]}}}
VERDICT: JsonObject = {
    "type": "object",
    "properties": {"good": {"type": "boolean"}, "stars": {"type": "integer", "enum": [1, 2, 3]}},
    "required": ["good", "stars"],
    "additionalProperties": False,
}
WEATHER: JsonObject = {
    "type": "function",
    "function": {"name": "weather", "description": "Look up the weather.", "parameters": CITY},
}
TIME: JsonObject = {
    "type": "function",
    "function": {"name": "time", "description": "Tell the time.", "parameters": CLOCK},
}
TOOLS: list[JsonObject] = [WEATHER, TIME]
CALL_ID = "call_17"
ARGUMENTS = '{"city": "Ulm"}'


@dataclass(frozen=True, slots=True)
class Replayed:
    """One request: its name in a report, its route and body."""

    name: str
    route: str
    body: JsonObject


def said(*texts: str) -> list[JsonObject]:
    """Messages of the user and the assistant in turn, the user's first."""
    return [
        {"role": ("user", "assistant")[index % 2], "content": text}
        for index, text in enumerate(texts)
    ]


PLAIN = said("Where was the author born?")
SYSTEM: list[JsonObject] = [{"role": "system", "content": "Answer in one sentence."}, *PLAIN]
DEVELOPER: list[JsonObject] = [{"role": "developer", "content": "Be brief."}, *PLAIN]
TURNS = said(
    "Who wrote the book?",
    "I do not know who wrote it.",
    "And who sold it?",
    "A shop in Ulm, I think.",
    "When was that?",
)
MANY_TURNS = said(*(f"Line {number} of a long talk." for number in range(19)))
UNICODE = said("Wo wurde die Autorin geboren? 著者はどこで生まれましたか 🏔️ naïve façade\u200b")
COMBINING = said("Cafe\u0301 or café; a\u0308 or ä; \u1100\u1161\u11a8 or 각?")
CODE = said("What does this print?\n\n```python\nfor i in range(3):\n    print(i, end='\\t')\n```")
QUOTES = said('She said "no\\never" \\ and left; <b>&amp;</b> {"a": [1, 2]} \u2028 end')
WHITE = said("  two  spaces,\ta tab,\n\n a break \r\n and an end \n")
PARTS: list[JsonObject] = [
    {
        "role": "user",
        "content": [{"type": "text", "text": "Part one,"}, {"type": "text", "text": " part two."}],
    }
]
NAMED: list[JsonObject] = [{"role": "user", "name": "ada", "content": "Do you know me?"}]
TOOL_TURN: list[JsonObject] = [
    *said("How is the weather?"),
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": CALL_ID,
                "type": "function",
                "function": {"name": "weather", "arguments": ARGUMENTS},
            }
        ],
    },
    {"role": "tool", "tool_call_id": CALL_ID, "content": '{"degrees": 21, "sky": "clear"}'},
]
PREFILL = said("Where was the author born?", "The author was")

CONVERSATIONS = (
    PLAIN,
    SYSTEM,
    DEVELOPER,
    TURNS,
    MANY_TURNS,
    UNICODE,
    COMBINING,
    CODE,
    QUOTES,
    WHITE,
    PARTS,
    NAMED,
    TOOL_TURN,
)
PROMPTS: tuple[object, ...] = (
    "The author was born in",
    "Once upon a time \u2014 es war einmal, 昔々",
    "def add(a, b):\n    return",
    ["First prompt, short.", "The second prompt is a bit longer than that."],
    [769, 313, 293, 289],
    [[769, 313], [293, 289, 91]],
)
