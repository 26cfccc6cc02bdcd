"""Flagged texts that no embedding can stand for: settings, tools, names, what pools.

Refusing them would tell who is on the list: any other name is answered. So they lose what they
say and the request goes on. What only stops, bans or bounds words is dropped; of a choice one that
nobody flags is taken, by the key; other texts get other words (`guard.corruption.pseudonyms`).
"""

from collections.abc import Callable, Mapping
from functools import partial

from guard.corruption.noise import KeyedDraws
from guard.corruption.pseudonyms import Pseudonyms
from guard.terms.item import Call, Path
from guard.terms.json import JsonObject
from guard.wire.call import replace_at, value_at, without

WORD_LISTS = frozenset({"stop", "bad_words"})
DROPPED = frozenset({"logit_bias", "allowed_token_ids", "response_format", "structured_outputs"})
SHORTEST = 4
"""Letters of a stop or banned word that could be a name."""

NamesIn = Callable[[str, str], bool]
"""Whether a text holds a name of the detector that is called so."""


def hide(
    call: Call,
    body: JsonObject,
    flagged: Mapping[int, str],
    key: bytes,
    names_in: NamesIn | None = None,
) -> JsonObject:
    """The body with every flagged text that is not corruptible hidden in its place."""
    done: set[Path] = set()
    for index, forget_set in flagged.items():
        item = call.items[index]
        if not item.corruptible and item.path not in done:
            done.add(item.path)  # a setting's strings are items of their own
            draws = KeyedDraws(key, forget_set)
            holds_name = partial(names_in, forget_set) if names_in else None
            taken = _taken(body, item.path, holds_name, draws)
            body = _hidden(body, item.path, holds_name, draws) if taken is None else taken
    return body


def _hidden(
    body: JsonObject, path: Path, holds_name: Callable[[str], bool] | None, draws: KeyedDraws
) -> JsonObject:
    field, value = path[0], value_at(body, path)
    if field in WORD_LISTS:
        return replace_at(body, path, _short_words(value))
    if field in DROPPED or path[-1] == "name":
        return without(body, path)
    if isinstance(value, list) and all(isinstance(one, int) for one in value):
        return replace_at(body, path, sorted(value))  # token ids, in an order that says nothing
    return replace_at(body, path, Pseudonyms(draws, holds_name).value(value, str(path[-1])))


def _short_words(value: object) -> list[str]:
    """Those without a word that could be a name: line breaks and marks go on stopping."""
    words = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return [w for w in words if isinstance(w, str) and sum(map(str.isalpha, w)) < SHORTEST]


def _taken(
    body: JsonObject, path: Path, holds_name: Callable[[str], bool] | None, draws: KeyedDraws
) -> JsonObject | None:
    """The body with one choice left of those that hold no name, as if the model had chosen
    without knowing; None where the field is no choice, or names are not what it was flagged for."""
    value = value_at(body, path)
    choices = value.get("choice") if isinstance(value, dict) else None
    if holds_name is None or path != ("structured_outputs",) or not isinstance(choices, list):
        return None
    other = [one for one in choices if isinstance(one, str) and not holds_name(one)]
    if not other or len(other) == len(choices):
        return None
    place = draws.number(repr(choices).encode("utf-8", "surrogatepass")) % len(other)
    return replace_at(body, (*path, "choice"), [other[place]])
