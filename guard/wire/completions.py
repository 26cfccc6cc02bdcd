"""`/v1/completions`: its field table and the texts it carries."""

from typing import TypeGuard

from guard.errors import RequestError
from guard.wire.call import Call, TextSpan
from guard.wire.fields import (
    Detokenise,
    FieldRules,
    FieldTable,
    JsonObject,
    Rule,
    expect_flag,
    expect_string,
)
from guard.wire.sampling import SAMPLING_FIELDS, check_bounds, token_spans
from guard.wire.settings_text import settings_spans

COMPLETION_FIELDS: FieldTable = {
    **SAMPLING_FIELDS,
    "model": Rule.CARRIED,
    "prompt": Rule.SCREENED,
    "suffix": Rule.SCREENED,
    "best_of": Rule.REFUSED,
    "prompt_embeds": Rule.REFUSED,
}

MOST_PROMPTS = 256


def parse(body: JsonObject, rules: FieldRules, detokenise: Detokenise | None) -> Call:
    """Check a completion request against its table and collect every text the model will see."""
    accepted = rules.accept(body, COMPLETION_FIELDS)
    check_bounds(accepted)
    accepted["prompt"], spans = read_prompt(accepted, "prompt", detokenise)
    spans += settings_spans(accepted, COMPLETION_FIELDS, ("prompt",))
    spans += token_spans(accepted, detokenise)
    return Call(
        protocol="completions",
        upstream_path="/v1/completions",
        body=accepted,
        model=expect_string(accepted, "model") or "",
        stream=expect_flag(accepted, "stream"),
        spans=tuple(spans),
    )


def read_prompt(
    body: JsonObject, field: str, detokenise: Detokenise | None
) -> tuple[object, list[TextSpan]]:
    """The prompt in `field` and its spans: a text, texts, token ids, or lists of token ids."""
    prompt = body.get(field)
    if isinstance(prompt, str):
        return prompt, [TextSpan((field,), "user", prompt, corruptible=True)]
    if _is_token_ids(prompt):
        return prompt, [TextSpan((field,), "user", _detokenised(prompt, field, detokenise), True)]
    if not isinstance(prompt, list) or not prompt:
        raise RequestError(
            f"'{field}' must be a non-empty string, list of strings or list of token ids",
            param=field,
        )
    if len(prompt) > MOST_PROMPTS:
        raise RequestError(f"'{field}' holds more than {MOST_PROMPTS} prompts", param=field)
    spans = []
    for index, item in enumerate(prompt):
        if isinstance(item, str):
            text = item
        elif _is_token_ids(item):
            text = _detokenised(item, field, detokenise)
        else:
            raise RequestError(
                f"'{field}.{index}' must be a string or a list of token ids",
                param=f"{field}.{index}",
            )
        spans.append(TextSpan((field, index), "user", text, corruptible=True))
    return prompt, spans


def _is_token_ids(value: object) -> TypeGuard[list[int]]:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, int) and not isinstance(item, bool) for item in value)
    )


def _detokenised(ids: list[int], field: str, detokenise: Detokenise | None) -> str:
    if detokenise is None:
        raise RequestError(
            "Prompts of token ids need the model's tokenizer, which is not configured",
            param=field,
            code="field_refused",
        )
    return detokenise(ids)
