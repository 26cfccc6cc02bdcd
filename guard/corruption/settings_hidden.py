"""Flagged texts that no embedding can stand for: settings, tools, names, what pools.

Refusing them would tell who is on the list: any other name is answered. So they lose what they
say and the request goes on. What only stops or bans words is dropped; of a choice one is taken, by
the key; other texts get other words (`guard.corruption.pseudonyms`).
"""

from collections.abc import Mapping

from guard.corruption.noise import KeyedDraws
from guard.corruption.pseudonyms import SHORTEST, Pseudonyms
from guard.terms.item import Call, Path
from guard.terms.json import JsonObject
from guard.wire.call import replace_at, value_at, without

WORD_LISTS = frozenset({"stop", "bad_words"})
DROPPED = frozenset({"logit_bias"})
CONSTRAINTS = frozenset({"response_format", "structured_outputs"})
CHOICES = frozenset({"choice", "enum"})


def hide(call: Call, body: JsonObject, flagged: Mapping[int, str], key: bytes) -> JsonObject:
    """The body with every flagged text that is not corruptible hidden in its place."""
    done: set[Path] = set()
    for index, forget_set in flagged.items():
        item = call.items[index]
        if not item.corruptible and item.path not in done:
            done.add(item.path)  # a setting's strings are items of their own
            body = _hidden(body, item.path, KeyedDraws(key, forget_set))
    return body


def _hidden(body: JsonObject, path: Path, draws: KeyedDraws) -> JsonObject:
    field, value = path[0], value_at(body, path)
    if field in WORD_LISTS:
        return replace_at(body, path, _short_words(value))
    if field in DROPPED or path[-1] == "name":
        return without(body, path)
    if isinstance(value, list) and all(isinstance(one, int) for one in value):
        return replace_at(body, path, sorted(value))  # token ids, in an order that says nothing
    if field in CONSTRAINTS:
        chosen = _chosen(value, draws)
        return replace_at(body, path, Pseudonyms(draws, CHOICES).value(chosen))
    return replace_at(body, path, Pseudonyms(draws).value(value))


def _short_words(value: object) -> list[str]:
    """Those without a word that could be a name: line breaks and marks go on stopping."""
    words = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return [w for w in words if isinstance(w, str) and sum(map(str.isalpha, w)) < SHORTEST]


def _chosen(value: object, draws: KeyedDraws) -> object:
    """The value with one of each list of choices, as if the model had chosen without knowing."""
    if isinstance(value, list):
        return [_chosen(one, draws) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _one_of(inner, draws) if name in CHOICES else _chosen(inner, draws)
        for name, inner in value.items()
    }


def _one_of(choices: object, draws: KeyedDraws) -> object:
    if not isinstance(choices, list) or not choices:
        return choices
    return [choices[draws.number(repr(choices).encode("utf-8", "surrogatepass")) % len(choices)]]
