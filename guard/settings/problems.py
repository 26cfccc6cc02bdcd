"""What is wrong with a document, in plain words: every problem with its place and its key.

pydantic says what it found of its types ("Input should be a valid tuple"); here stands what a
person who wrote the file has to change. No message holds a value: it could be a secret.
"""

import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Literal, NamedTuple, Protocol, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from guard.settings.document import Step
from guard.settings.patterns import IN_WORDS

KeyPath = tuple[Step, ...]


class Problem(NamedTuple):
    """One thing that is wrong: where, what, and the other place that it contradicts."""

    path: KeyPath
    message: str
    other: KeyPath | None = None


class ProblemsError(ValueError):
    """What a validator of a section found; paths lead on from that section."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class Places(Protocol):
    """Says where the keys stand that a problem is about."""

    def place(self, path: Sequence[Step]) -> str:
        """File and line of a key."""
        ...

    def named(self, path: Sequence[Step]) -> KeyPath:
        """The path with items of lists by their names."""
        ...


def explain(error: ValidationError, kind: Any, places: Places) -> str:
    """Every problem on a line of its own: `file:line: key: what is wrong`.

    `kind` is the type that was asked for: a model, or an annotation.
    """
    return "\n".join(told(problem, places) for problem in problems_of(error, kind))


def told(problem: Problem, places: Places) -> str:
    """One problem as a line."""
    key = dotted(places.named(problem.path))
    other = f" (see {places.place(problem.other)})" if problem.other else ""
    return f"{places.place(problem.path)}: {key + ': ' if key else ''}{problem.message}{other}"


def dotted(path: Iterable[Step]) -> str:
    """A path as people write it."""
    return ".".join(str(step) for step in path)


def problems_of(error: ValidationError, kind: Any) -> list[Problem]:
    """The problems that pydantic found; those of a union's members are one problem."""
    found: dict[KeyPath, list[str]] = {}
    own: list[Problem] = []
    for detail in error.errors(include_url=False):
        path, kinds = _walked(kind, detail["loc"], detail["type"])
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, ProblemsError):
            own += [_under(path, problem) for problem in cause.problems]
        else:
            message = _message(detail, kinds)
            if message not in found.setdefault(path, []):
                found[path].append(message)
    return [Problem(path, ", or ".join(texts)) for path, texts in found.items()] + own


def _under(path: KeyPath, problem: Problem) -> Problem:
    other = problem.other if problem.other is None else (*path, *problem.other)
    return Problem((*path, *problem.path), problem.message, other)


def _walked(kind: Any, loc: Sequence[Step], problem: str) -> tuple[KeyPath, list[Any]]:
    """The keys of pydantic's location, without its own words for a union's members, and the types
    that may stand at its end: for an unknown key, those of the mapping that it stands in."""
    kinds, path = _members(kind), []
    for number, step in enumerate(loc):
        inner = [member for outer in kinds for member in _inside(outer, step)]
        if inner:
            kinds = inner
            path.append(step)
        elif number == len(loc) - 1 and problem == "extra_forbidden":
            path.append(step)
        else:
            kinds = [member for member in kinds if step in _tags(member)] or kinds
    return tuple(path), kinds


def _members(kind: Any) -> list[Any]:
    """The types that a union is of, and what an annotated one is about."""
    if get_origin(kind) is Annotated:
        return _members(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return [member for part in get_args(kind) for member in _members(part)]
    return [] if kind is type(None) else [kind]


def _inside(kind: Any, step: Step) -> list[Any]:
    """The types of what a step into a value of that type leads to."""
    if known := _fields(kind):
        return _members(known[str(step)]) if step in known else []
    arguments = get_args(kind)
    if get_origin(kind) is dict:
        return _members(arguments[1])
    return _members(arguments[0]) if arguments and isinstance(step, int) else []


def _fields(kind: Any) -> dict[str, Any]:
    """The keys of a section, and their types."""
    if not isinstance(kind, type):
        return {}
    if issubclass(kind, BaseModel):
        return {name: field.annotation for name, field in kind.model_fields.items()}
    return {field.name: field.type for field in fields(kind)} if is_dataclass(kind) else {}


def _tags(kind: Any) -> list[str]:
    """The words that tell a section of several kinds from the others: of keys with one word."""
    literals = [get_args(f) for f in _fields(kind).values() if get_origin(f) is Literal]
    return [words[0] for words in literals if len(words) == 1]


PLAIN: Mapping[str, str] = {
    "missing": "is missing",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "set_type": "must be a list",
    "frozen_set_type": "must be a list",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "dataclass_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "path_type": "must be the path of a file or folder",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "too_short": "needs {min_length} or more entries, not {actual_length}",
    "too_long": "takes at most {max_length} entries, not {actual_length}",
    "string_too_short": "needs {min_length} or more characters",
    "string_too_long": "takes at most {max_length} characters",
    "literal_error": "must be {expected}",
    "value_error": "{error}",
}
"""By pydantic's word for a problem, ours; in braces what pydantic knows of it."""


def _message(detail: Mapping[str, Any], kinds: Sequence[Any]) -> str:
    problem, context = detail["type"], detail.get("ctx", {})
    words: str = PLAIN.get(problem, detail["msg"])
    match problem:
        case "extra_forbidden":
            known = [name for kind in kinds for name in _fields(kind)]
            return "no such key" + suggestion(detail["loc"][-1], known)
        case "literal_error":
            known = [word for kind in kinds for word in get_args(kind)]
            return words.format(**context) + suggestion(detail["input"], known)
        case "string_pattern_mismatch":
            return IN_WORDS.get(context["pattern"], f"must match {context['pattern']}")
        case "union_tag_not_found" | "union_tag_invalid":
            known = [tag for kind in kinds for tag in _tags(kind)]
            key = context["discriminator"].strip("'")
            asked = suggestion(context.get("tag"), known)
            return f"{key} must be one of {', '.join(known)}{asked}"
    return words.format(**context)


def suggestion(written: object, known: Iterable[object]) -> str:
    """A question for what looks like a slip of the keyboard; "" where nothing is near."""
    words = [str(word) for word in known]
    close = get_close_matches(str(written), words, n=1) if isinstance(written, str) else []
    return f"; did you mean '{close[0]}'?" if close else ""
