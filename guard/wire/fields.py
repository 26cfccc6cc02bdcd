"""Closed field tables: what may stand in a request body, and what becomes of it.

A field that no table names is dropped, as vLLM itself drops it (or refused, where the operator
says `fields.unknown: refuse`); it is never forwarded, so no model can read it.
`tests/e2e/test_field_tables.py` compares the tables with the installed vLLM.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from guard.terms.errors import RequestError
from guard.terms.json import JsonObject
from guard.terms.sampling_defaults import VLLM_DEFAULTS, SamplingDefaults
from guard.wire.dropped_fields import DroppedFields, without_indices


class Rule(Enum):
    """What becomes of a field; the values are the words used in the documentation."""

    SCREENED = "screened"  # its texts reach the model: screened, then carried
    CARRIED = "carried"  # steers generation only: forwarded as it is
    DROPPED = "dropped"  # clients send it, vLLM has no use for it: accepted, not forwarded
    LEAKING = "leaking"  # gives the prompt back: refused wherever a policy may corrupt prompts
    UNEVEN = "uneven"  # reads the prompt's tokens, which embeddings have none of: dropped likewise
    SWITCHES = "switches"  # of the model's own template, with plain values: carried, else refused
    REFUSED = "refused"  # a way around the guard: refused unless the operator allows it by name


# Words and numbers that a template's switch may be set to, beside true and false.
LEVELS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max", "auto"})
MOST_SWITCH = 1_000_000

NeutralValues = Mapping[str, object]

_EMPTY: tuple[object, ...] = ("", [], {})

# Field -> the value it has where it is not sent, in whatever protocol knows it.
NEUTRAL: NeutralValues = {
    "background": False,
    "best_of": 1,
    "enable_response_messages": False,
    "function_call": "none",
    "mm_payload": "tensors",
    "modalities": ["text"],
    "padding": False,
    "priority": 0,
    "routed_experts_prompt_start": 0,
    "truncation": "disabled",
}

_PASSING = (Rule.SCREENED, Rule.CARRIED)

FieldTable = Mapping[str, Rule]


def asks_for_nothing(name: str, value: object, neutral: NeutralValues = NEUTRAL) -> bool:
    """Whether a field of this name and value is as good as none: its default, or empty."""
    if value in _EMPTY:
        return True
    if name not in neutral:
        return False
    default = neutral[name]
    return type(value) is type(default) and value == default


@dataclass(frozen=True, slots=True)
class FieldRules:
    """The operator's say over the tables, the same for every protocol.

    `allowed` names REFUSED fields to carry all the same: those inside objects by their dotted
    place without indices (`messages.tools`). `drop_unknown` drops unknown fields, and takes them
    down in `dropped`, instead of refusing; `may_corrupt` is true when some policy corrupts prompts,
    `pictures` when pictures are taken: as data, to be decoded.
    Fields of a request that the model server is too old for, `absent`, count as unknown.
    `switches` are the names in `chat_template_kwargs` that the model's template reads; `sampling`
    and `context_tokens`, the longest prompt and answer together, are what an answer may have to
    tell of the model server.
    """

    allowed: frozenset[str] = frozenset()
    drop_unknown: bool = True
    may_corrupt: bool = False
    pictures: bool = False
    media_unscreened: bool = False
    absent: frozenset[str] = frozenset()
    switches: frozenset[str] = frozenset()
    sampling: SamplingDefaults = VLLM_DEFAULTS
    context_tokens: int | None = None
    dropped: DroppedFields | None = None

    def accept(
        self,
        body: JsonObject,
        table: FieldTable,
        prefix: str = "",
        neutral: NeutralValues = NEUTRAL,
    ) -> JsonObject:
        """The fields of `body` that go on; raises RequestError naming the first that may not.

        `prefix` is the dotted place of `body` with its last dot, empty for the request itself.
        """
        accepted: JsonObject = {}
        for name, value in body.items():
            rule = None if name in self.absent and not prefix else table.get(name)
            if rule in _PASSING:
                accepted[name] = value
            elif value is None or rule is Rule.DROPPED:
                continue  # null means "not set": nothing to carry, nothing to refuse
            elif rule is None:
                self.drop(prefix, name)
            elif rule is Rule.UNEVEN and self.may_corrupt:
                self._tell(prefix, name)
            elif self._carries(prefix + name, rule, value):
                accepted[name] = value
            elif not (asks_for_nothing(name, value, neutral) or _is_off(rule, value)):
                raise _refused(prefix + self._at_fault(name, rule, value), rule)
        return accepted

    def holds_switches_only(self, value: object) -> bool:
        """Whether `value` sets switches of the model's template, none of them to a text."""
        return (
            isinstance(value, dict)
            and bool(value)
            and all(name in self.switches and _is_plain(set_to) for name, set_to in value.items())
        )

    def _at_fault(self, name: str, rule: Rule, value: object) -> str:
        """The field that is refused: of switches the first that is none."""
        if rule is not Rule.SWITCHES or not isinstance(value, dict):
            return name
        wrong = (
            key for key, set_to in value.items() if not self.holds_switches_only({key: set_to})
        )
        return f"{name}.{next(wrong, '')}"

    def _carries(self, place: str, rule: Rule, value: object) -> bool:
        if rule is Rule.SWITCHES and self.holds_switches_only(value):
            return True
        if rule in (Rule.LEAKING, Rule.UNEVEN):
            return not self.may_corrupt
        return bool(self.allowed) and without_indices(place) in self.allowed

    def drop(self, prefix: str, name: str) -> None:
        """Leave out the field `name` of the object at `prefix`, or RequestError."""
        if not self.drop_unknown:
            raise _refused(prefix + name, None)
        self._tell(prefix, name)

    def _tell(self, prefix: str, name: str) -> None:
        if self.dropped is not None:
            self.dropped.add(prefix, name)


def _is_plain(value: object) -> bool:
    """Whether a template that writes `value` into the prompt adds no words of the client's."""
    if isinstance(value, str):
        return value in LEVELS
    return value is None or (isinstance(value, int) and abs(value) <= MOST_SWITCH)


def _is_off(rule: Rule, value: object) -> bool:
    """Whether a field that gives something back is told not to."""
    return rule is Rule.LEAKING and value is False


def _refused(name: str, rule: Rule | None) -> RequestError:
    shown = name if len(name) <= 64 and name.isascii() and name.isprintable() else "(unprintable)"
    if rule is None:
        return RequestError(f"Unknown field: {shown}", param=shown, code="unknown_field")
    return RequestError(
        f"The field '{shown}' is not available on this endpoint", param=shown, code="field_refused"
    )


def expect(
    body: Mapping[str, object], name: str, kinds: type | tuple[type, ...], described: str
) -> object:
    """`body[name]` if it is of `kinds` or absent (None); RequestError naming it otherwise."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is int):
        raise RequestError(f"'{name}' must be {described}", param=name)
    return value


def expect_flag(body: Mapping[str, object], name: str) -> bool:
    """`body[name]` as a boolean, False when absent."""
    return bool(expect(body, name, bool, "true or false"))


def expect_string(body: Mapping[str, object], name: str) -> str | None:
    """`body[name]` as a string, None when absent."""
    value = expect(body, name, str, "a string")
    return value if isinstance(value, str) else None


def expect_list(body: Mapping[str, object], name: str) -> list[object]:
    """`body[name]` as a list, empty when absent."""
    value = expect(body, name, list, "a list")
    return value if isinstance(value, list) else []


def expect_count(body: Mapping[str, object], name: str, most: int) -> None:
    """Refuse `body[name]` unless it is absent or an integer from 0 to `most`."""
    value = expect(body, name, int, "an integer")
    if isinstance(value, int) and not 0 <= value <= most:
        raise RequestError(f"'{name}' must be between 0 and {most}", param=name)


Detokenise = Callable[[list[int]], str]
