"""Writes docs/reference/fields.md from the tables that the proxy uses.

python -m tests.docs.fields > docs/reference/fields.md
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import orjson

from guard.wire import chat, pictures
from guard.wire.fields import NEUTRAL, FieldTable, Rule
from guard.wire.messages import blocks
from guard.wire.messages import fields as messages_fields
from guard.wire.messages import settings as messages
from guard.wire.protocols import make_protocols
from guard.wire.responses import fields as responses_fields
from guard.wire.responses import items, tools
from guard.wire.responses import settings as responses
from guard.wire.responses.store import ResponseStore

MEANINGS: Mapping[Rule, str] = {
    Rule.SCREENED: "Its texts reach the model: they are screened, then sent on.",
    Rule.CARRIED: "Steers generation only: sent on as it is. If it holds text where none is"
    " expected, that text is screened too.",
    Rule.DROPPED: "Accepted, because clients send it, and not sent on.",
    Rule.LEAKING: "Gives the prompt back, or tells whether it was corrupted: refused wherever some"
    " policy may corrupt prompts, for every prompt alike, unless it is `false` or `null`; sent on"
    " elsewhere.",
    Rule.UNEVEN: "Reads the prompt's tokens, of which embeddings have none, so that the answer"
    " would tell whether the prompt was corrupted: accepted and dropped wherever some policy may"
    " corrupt prompts, for every prompt alike; sent on elsewhere.",
    Rule.SWITCHES: "Switches that the model's own chat template reads (`enable_thinking`), set to"
    " true, false, a whole number or a level such as `low`, are sent on. Anything else in it is"
    " refused, or sent on and screened where the operator names the field in `fields.allow`.",
    Rule.REFUSED: "A way around the guard, or nothing that can be kept here: refused unless the"
    " operator names it in `fields.allow`.",
}
ALWAYS = "refused always"

INTRODUCTION = """# Fields

Made by `python -m tests.docs.fields` from the tables in `guard/wire`; do not edit.

A field that stands in no table, at whatever depth, is dropped: it never reaches vLLM, whose own
routes would not read it either. The answer's header `x-ecoguard-dropped-fields` names it. Where the
operator set `fields.unknown: refuse`, it is refused: status 400, its name in `error.param`.

The tables were compared with the request models of vLLM 0.32 and 0.33. A field that a server is too
old for, by its `/version`, counts as unknown; a server of another version is named in the log.

`null` means "not set" in every field; in a refused one an empty string, list or object does too,
and so do these defaults:
"""
RULES = """
| rule | what becomes of the field |
|---|---|"""
ALWAYS_MEANING = "Like *refused*, and `fields.allow` does not change it: chat has no equivalent."


@dataclass(frozen=True, slots=True)
class Documented:
    """A route's own table and those of the objects inside its requests, each under its place.

    `always` names refused fields of the route's table that no operator can allow.
    """

    inner: Mapping[str, FieldTable] = field(default_factory=dict)
    always: frozenset[str] = frozenset()
    notes: str = ""


def by_type(place: str, tables: Mapping[str, FieldTable]) -> dict[str, FieldTable]:
    """The tables of objects at `place`, one for each value of `type`."""
    return {f"{place}, `type: {kind}`": table for kind, table in tables.items()}


MESSAGES_OBJECTS: Mapping[str, FieldTable] = {
    "`messages[]`": blocks.MESSAGE_FIELDS,
    **by_type("content of the user", blocks.USER_BLOCKS),
    **by_type("content of the assistant", blocks.ASSISTANT_BLOCKS),
    **by_type("`system`", blocks.SYSTEM_BLOCKS),
    **by_type("content of a `tool_result`", blocks.RESULT_BLOCKS),
    **by_type("`source` of an image", blocks.SOURCE_TABLES),
    "`tools[]`": messages.TOOL_FIELDS,
    "`tool_choice`": messages.TOOL_CHOICE_FIELDS,
    "`output_config`": messages.OUTPUT_CONFIG_FIELDS,
    "`output_config.format`": messages.FORMAT_FIELDS,
    **by_type("`thinking`", messages.THINKING_TABLES),
}
MEDIA = (
    "Pictures are refused unless the operator sets `images.enabled`, audio and video unless"
    " `fields.media: allow_unscreened`."
)
INNER = (
    "A refused field inside an object is allowed by its dotted place, without indices:"
    " `fields.allow: [messages.tools]`."
)
TRANSLATED = (
    "What is refused inside the objects below has no word in a chat call: where the operator allows"
    " it (by its dotted place, without indices), it is dropped."
)
BIASED = "The words that `logit_bias` (upwards) and `allowed_token_ids` spell are screened."
BUILT_IN = ", ".join(f"`{kind}`" for kind in sorted(tools.BUILT_IN))
PASSED = ", ".join(f"`{kind}`" for kind in sorted(items.PASSED_OVER))
DOCUMENTED: Mapping[str, Documented] = {
    "chat": Documented(
        {
            "`messages[]`": chat.MESSAGE_FIELDS,
            **by_type("content parts", chat.PART_TABLES),
            "`image_url` of a part": pictures.IMAGE_URL_FIELDS,
        },
        notes=f"{MEDIA} {BIASED} {INNER}",
    ),
    "completions": Documented(notes=f"Lists of prompts are screened one by one. {BIASED}"),
    "embeddings": Documented(
        notes="`messages` as in a chat. What a policy would corrupt is blocked here: nothing is"
        " generated that could forget."
    ),
    "tokenize": Documented(notes="Nothing is generated, so nothing is screened."),
    "detokenize": Documented(notes="Nothing is generated, so nothing is screened."),
    "responses": Documented(
        {
            **by_type("`input[]`", items.ITEM_TABLES),
            **by_type("content parts", items.PART_TABLES),
            **by_type("`summary[]`, `content[]` of `reasoning`", items.THOUGHT_TABLES),
            **by_type("`tools[]`", tools.TOOL_TABLES),
            "`tool_choice`": responses.CHOICE_FIELDS,
            "`text`": responses.TEXT_FIELDS,
            **by_type("`text.format`", responses.FORMAT_TABLES),
            "`reasoning`": responses.REASONING_FIELDS,
        },
        frozenset(responses_fields.UNTRANSLATABLE),
        notes=f"{MEDIA} {TRANSLATED} Tools that OpenAI runs ({BUILT_IN}) and their calls ({PASSED})"
        " are dropped like unknown fields, and so is a custom tool's grammar. Functions in a"
        " namespace reach vLLM as `<namespace>__<name>`, custom tools as functions of one string,"
        " as in its own translation; their calls come back as the client knows them.",
    ),
    "messages": Documented(
        MESSAGES_OBJECTS,
        messages_fields.UNTRANSLATABLE,
        notes=f"{MEDIA} {TRANSLATED}",
    ),
    "count_tokens": Documented(
        always=messages_fields.UNTRANSLATABLE,
        notes="The objects inside are those of `/v1/messages`. The texts reach no model and are not"
        " screened: what is marked so is what a message would screen.",
    ),
}


def page() -> Iterator[str]:
    """The page, line by line."""
    yield INTRODUCTION
    defaults = (f"`{name}: {orjson.dumps(value).decode()}`" for name, value in NEUTRAL.items())
    yield f"{', '.join(defaults)}, and `add_special_tokens` as its route has it."
    yield RULES
    yield from (f"| {rule.value} | {meaning} |" for rule, meaning in MEANINGS.items())
    yield f"| {ALWAYS} | {ALWAYS_MEANING} |"
    for protocol in make_protocols(ResponseStore()).values():
        documented = DOCUMENTED[protocol.name]
        yield f"\n## `{protocol.route}`\n"
        if documented.notes:
            yield f"{documented.notes}\n"
        yield from rules_table(protocol.table, documented.always)
        yield from objects_table(documented.inner)


def rules_table(table: FieldTable, always: frozenset[str]) -> Iterator[str]:
    """A request's fields, grouped by rule."""
    yield "| rule | fields |\n|---|---|"
    for rule in Rule:
        names = [name for name, own in table.items() if own is rule and name not in always]
        if names:
            yield f"| {rule.value} | {listed(names)} |"
    if forever := sorted(always & table.keys()):
        yield f"| {ALWAYS} | {listed(forever)} |"


def objects_table(inner: Mapping[str, FieldTable]) -> Iterator[str]:
    """The fields of the objects inside a request: a row for each object, a column for each rule."""
    if not inner:
        return
    columns = [rule for rule in Rule if any(rule in table.values() for table in inner.values())]
    yield f"\n| object | {' | '.join(rule.value for rule in columns)} |"
    yield f"|---|{'---|' * len(columns)}"
    for place, table in inner.items():
        cells = [listed([n for n, own in table.items() if own is rule]) for rule in columns]
        yield f"| {place} | {' | '.join(cells)} |"


def listed(names: list[str]) -> str:
    """Names as code, in alphabetical order."""
    return ", ".join(f"`{name}`" for name in sorted(names))


def text() -> str:
    """The whole page."""
    return "\n".join(page()) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
