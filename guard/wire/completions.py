"""`/v1/completions`: its field table and the texts it carries."""

from typing import TypeGuard

from guard.terms.errors import RequestError
from guard.terms.item import Call, Item
from guard.terms.json import JsonObject
from guard.wire.authors import authored
from guard.wire.fields import (
    NEUTRAL,
    Detokenise,
    FieldRules,
    FieldTable,
    NeutralValues,
    Rule,
    expect_flag,
    expect_string,
)
from guard.wire.sampling import SAMPLING_FIELDS, check_bounds, spelled_by, token_items
from guard.wire.settings_text import settings_items

COMPLETION_FIELDS: FieldTable = {
    **SAMPLING_FIELDS,
    "model": Rule.CARRIED,
    "prompt": Rule.SCREENED,
    "suffix": Rule.SCREENED,
    "best_of": Rule.REFUSED,
    "prompt_embeds": Rule.REFUSED,
}
COMPLETION_NEUTRAL: NeutralValues = {**NEUTRAL, "add_special_tokens": True}

MOST_PROMPTS = 256


def parse(body: JsonObject, rules: FieldRules, detokenise: Detokenise | None) -> Call:
    """Check a completion request against its table and collect every text the model will see."""
    accepted = rules.accept(body, COMPLETION_FIELDS, neutral=COMPLETION_NEUTRAL)
    check_bounds(accepted)
    accepted["prompt"], items = read_prompt(accepted, "prompt", detokenise)
    items += settings_items(accepted, COMPLETION_FIELDS, ("prompt",))
    items += token_items(accepted, detokenise)
    return Call(
        protocol="completions",
        upstream_path="/v1/completions",
        body=accepted,
        model=expect_string(accepted, "model") or "",
        stream=expect_flag(accepted, "stream"),
        items=tuple(items),
    )


def read_prompt(
    body: JsonObject, field: str, detokenise: Detokenise | None
) -> tuple[object, list[Item]]:
    """The prompt in `field` and its items: a text, texts, token ids, or lists of token ids."""
    prompt = body.get(field)
    if isinstance(prompt, str):
        return prompt, [authored((field,), "user", prompt, corruptible=True)]
    if _is_token_ids(prompt):
        text = _detokenised(prompt, field, detokenise)
        return prompt, [authored((field,), "user", text, corruptible=True)]
    if not isinstance(prompt, list) or not prompt:
        raise RequestError(
            f"'{field}' must be a non-empty string, list of strings or list of token ids",
            param=field,
        )
    if len(prompt) > MOST_PROMPTS:
        raise RequestError(f"'{field}' holds more than {MOST_PROMPTS} prompts", param=field)
    items = []
    for index, value in enumerate(prompt):
        if isinstance(value, str):
            text = value
        elif _is_token_ids(value):
            text = _detokenised(value, field, detokenise)
        else:
            raise RequestError(
                f"'{field}.{index}' must be a string or a list of token ids",
                param=f"{field}.{index}",
            )
        items.append(authored((field, index), "user", text, corruptible=True))
    return prompt, items


def _is_token_ids(value: object) -> TypeGuard[list[int]]:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(token, int) and not isinstance(token, bool) for token in value)
    )


def _detokenised(ids: list[int], field: str, detokenise: Detokenise | None) -> str:
    if detokenise is None:
        raise RequestError(
            "Prompts of token ids need the model's tokenizer, which is not configured",
            param=field,
            code="field_refused",
        )
    return spelled_by(ids, field, detokenise)
