"""Fields that the generating protocols share: sampling, constraints and vLLM's own extensions."""

import re
from collections.abc import Mapping
from typing import Any

from guard.terms.errors import RequestError
from guard.terms.item import Item
from guard.terms.json import JsonObject
from guard.wire.authors import authored
from guard.wire.fields import Detokenise, FieldTable, Rule, expect, expect_count

SAMPLING_FIELDS: FieldTable = {
    "frequency_penalty": Rule.CARRIED,
    "presence_penalty": Rule.CARRIED,
    "repetition_penalty": Rule.UNEVEN,
    "repetition_detection": Rule.CARRIED,
    "temperature": Rule.CARRIED,
    "top_p": Rule.CARRIED,
    "top_k": Rule.CARRIED,
    "min_p": Rule.CARRIED,
    "seed": Rule.CARRIED,
    "n": Rule.CARRIED,
    "max_tokens": Rule.CARRIED,
    "min_tokens": Rule.CARRIED,
    "stream": Rule.CARRIED,
    "stream_options": Rule.CARRIED,
    "stream_interval": Rule.CARRIED,
    "use_beam_search": Rule.LEAKING,  # vLLM has no beams over embeddings: the error would tell
    "length_penalty": Rule.CARRIED,
    "stop_token_ids": Rule.CARRIED,
    "include_stop_str_in_output": Rule.CARRIED,
    "ignore_eos": Rule.CARRIED,
    "skip_special_tokens": Rule.CARRIED,
    "spaces_between_special_tokens": Rule.CARRIED,
    "thinking_token_budget": Rule.CARRIED,
    "watermarking": Rule.CARRIED,
    "logprobs": Rule.CARRIED,
    "logprob_token_ids": Rule.CARRIED,
    "return_weight_versions": Rule.CARRIED,
    "return_tokens_as_token_ids": Rule.CARRIED,
    "user": Rule.DROPPED,
    "logit_bias": Rule.CARRIED,  # its tokens are screened: token_items
    "allowed_token_ids": Rule.CARRIED,  # likewise
    "stop": Rule.SCREENED,
    "bad_words": Rule.SCREENED,
    "response_format": Rule.SCREENED,
    "structured_outputs": Rule.SCREENED,
    "echo": Rule.LEAKING,
    "prompt_logprobs": Rule.LEAKING,
    "return_token_ids": Rule.LEAKING,
    "return_token_offsets": Rule.LEAKING,
    "add_special_tokens": Rule.REFUSED,
    "truncate_prompt_tokens": Rule.REFUSED,  # the model must not see less than what was judged
    "truncation_side": Rule.REFUSED,
    "priority": Rule.REFUSED,
    "request_id": Rule.REFUSED,
    "session_id": Rule.REFUSED,
    "cache_salt": Rule.REFUSED,
    "kv_transfer_params": Rule.REFUSED,
    "ec_transfer_params": Rule.REFUSED,
    "vllm_xargs": Rule.REFUSED,
    "mm_payload": Rule.REFUSED,
    "return_mm_kwargs": Rule.REFUSED,
    "routed_experts_prompt_start": Rule.REFUSED,
}
# By the version of vLLM that brought them; older servers would leave them out in silence.
SINCE: Mapping[str, tuple[int, int]] = {"return_weight_versions": (0, 33)}

MOST_CHOICES = 128
MOST_LOGPROBS = 100
MOST_TOKEN_IDS = 1024
SPELLING_FIELDS = ("logit_bias", "allowed_token_ids")
TOKEN_FIELDS = (*SPELLING_FIELDS, "stop_token_ids", "logprob_token_ids")
BOUNDED_FIELDS = frozenset({"n", "top_logprobs", *TOKEN_FIELDS})

_NAMEABLE = re.compile(r"[A-Za-z0-9_-]{1,40}")


def fields_after(version: tuple[int, int] | None) -> frozenset[str]:
    """The fields that a model server of this version does not have; none of an unknown one."""
    if version is None:
        return frozenset()
    return frozenset(name for name, since in SINCE.items() if version < since)


def check_bounds(body: JsonObject) -> None:
    """Refuse counts that would make one request cost like very many."""
    if BOUNDED_FIELDS.isdisjoint(body):
        return
    expect_count(body, "n", MOST_CHOICES)
    expect_count(body, "top_logprobs", MOST_LOGPROBS)
    for name in TOKEN_FIELDS:
        value = expect(body, name, (list, dict), "a list or an object of token ids")
        if isinstance(value, list | dict) and len(value) > MOST_TOKEN_IDS:
            raise RequestError(f"'{name}' holds more than {MOST_TOKEN_IDS} tokens", param=name)


def token_items(body: Mapping[str, object], detokenise: Detokenise | None) -> list[Item]:
    """The texts that biased or allowed tokens spell; refused where no tokenizer is at hand."""
    items = []
    for name in SPELLING_FIELDS:
        ids = _token_ids(body, name)
        if not ids:
            continue
        if detokenise is None:
            raise RequestError(
                f"'{name}' needs the model's tokenizer, which is not configured",
                param=name,
                code="field_refused",
            )
        items.append(authored((name,), name, spelled_by(ids, name, detokenise)))
    return items


def spelled_by(ids: list[int], name: str, detokenise: Detokenise) -> str:
    """What token ids in the field `name` spell; RequestError names the field and the id."""
    try:
        return detokenise(ids)
    except RequestError as error:
        raise RequestError(error.message, param=name) from None


def _token_ids(body: Mapping[str, object], name: str) -> list[int]:
    """Token ids of `name`: those biased upwards, or all of a list."""
    value = body.get(name)
    if isinstance(value, dict):
        biased = [_numbers(name, key, key, bias) for key, bias in value.items()]
        return [token for token, bias in biased if bias > 0]
    if isinstance(value, list):
        return [_numbers(name, str(i), token, 0)[0] for i, token in enumerate(value)]
    return []


def _numbers(name: str, key: str, token: Any, bias: Any) -> tuple[int, float]:
    """A token's id and bias; RequestError names the key or index where one is no number."""
    try:
        return int(token), float(bias)
    except (TypeError, ValueError):
        place = f"{name}.{key}" if _NAMEABLE.fullmatch(key) else name
        raise RequestError(f"'{place}' must hold token ids", param=place) from None
