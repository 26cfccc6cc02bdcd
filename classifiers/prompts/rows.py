"""From a row of any prompt set to a labelled prompt; `classifiers.prompts.sources` reads the rows.

Known columns are `text` or `messages`, `source`, `group`, `label`, `kind` and `client`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from classifiers.prompts.files import MAX_CHARACTERS
from classifiers.prompts.labelled import Label, LabelledPrompt
from guard.terms.errors import ConfigError

TEXT, MESSAGES = "text", "messages"
COLUMNS = (TEXT, MESSAGES, "source", "group", "label", "kind", "client")
LABELS: Mapping[str, Label] = {
    "malicious": "malicious",
    "1": "malicious",
    "true": "malicious",
    "benign": "benign",
    "0": "benign",
    "false": "benign",
    "unknown": "unknown",
    "": "unknown",
}
"""By what stands in a column `label`, in any case, what it means."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row's values by column, and the place that errors name: `file.jsonl:3`."""

    place: str
    values: Mapping[str, object]

    def fail(self, field: str, problem: str) -> ConfigError:
        """An error about a field of this row, for the caller to raise."""
        return ConfigError(f"{self.place}: {field}: {problem}")


def labelled_prompt(row: Row, source: str, column: str | None = None) -> LabelledPrompt:
    """The prompt in a row; `source` holds where the row names neither source nor group.

    The text stands in `column`, else in `text` or `messages`. Of messages the user's turns are
    taken, joined as screening joins turns. Raises ConfigError naming place and field.
    """
    name = _text_column(row) if column is None else column
    value = row.values.get(name)
    turns: tuple[str, ...] = ()
    if isinstance(value, list) and name != TEXT:
        said, turns = conversation(_user_turns(row, name, value))
        text: object = said
    elif name == MESSAGES:
        raise row.fail(name, "expected a list of messages")
    else:
        text = value
    if not isinstance(text, str) or not text.strip():
        raise row.fail(name, "expected a non-empty string")
    if len(text) > MAX_CHARACTERS:
        raise row.fail(name, f"longer than {MAX_CHARACTERS} characters")
    return LabelledPrompt(
        text,
        source=_word(row, "source") or _word(row, "group") or source,
        label=_label(row),
        kind=_word(row, "kind"),
        client=_word(row, "client"),
        turns=turns,
    )


def conversation(turns: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """Turns as one text, as screening joins them, and by themselves where there are several."""
    said = tuple(turn for turn in turns if turn)
    return "\n".join(said), said if len(said) > 1 else ()


def _text_column(row: Row) -> str:
    given = [name for name in (TEXT, MESSAGES) if row.values.get(name) is not None]
    if len(given) == 2 or not {TEXT, MESSAGES} & row.values.keys():
        raise ConfigError(f"{row.place}: expected either {TEXT} or {MESSAGES}")
    return given[0] if given else TEXT


def _user_turns(row: Row, column: str, messages: list[object]) -> Iterator[str]:
    """What the user says in each turn."""
    for index, message in enumerate(messages):
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            raise row.fail(f"{column}.{index}", "expected a message with a role")
        if message["role"] == "user":
            yield _content(row, f"{column}.{index}.content", message.get("content"))


def _content(row: Row, field: str, content: object) -> str:
    """A message's text; its parts follow each other with nothing between, as templates put them."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not all(isinstance(part, Mapping) for part in content):
        raise row.fail(field, "expected text or a list of parts")
    texts = [part.get(TEXT) for part in content if isinstance(part, Mapping)]
    return "".join(text for text in texts if isinstance(text, str))


def _word(row: Row, field: str) -> str:
    value = row.values.get(field)
    if value is None:
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise row.fail(field, "expected a string")
    return str(value)


def _label(row: Row) -> Label:
    value = row.values.get("label")
    if value is None:
        return "unknown"
    if isinstance(value, str | int):  # True is an int too
        label = LABELS.get(str(value).strip().casefold())
        if label is not None:
            return label
    raise row.fail("label", f"expected malicious, benign or unknown, or 1 or 0, not {value!r:.40}")
