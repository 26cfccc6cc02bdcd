"""Settings that strain the engine: refused or answered, alike whatever the prompt, and survived."""

from typing import Any

import pytest

from tests.e2e.bypass.canary import BENIGN, CANARY
from tests.e2e.bypass.rig import Proxy
from tests.e2e.bypass.vectors.vector import CHAT, COMPLETIONS, Body, chat, complete, user

pytestmark = pytest.mark.vllm

BEYOND = 1_000_000_000
STRAINS: dict[str, Body] = {
    "logprobs of unknown tokens": {"logprobs": True, "logprob_token_ids": [BEYOND]},
    "logprobs of the spare rows": {"logprobs": True, "logprob_token_ids": [1536, 1599]},
    "logprobs of a negative token": {"logprobs": True, "logprob_token_ids": [-1]},
    "all logprobs": {"logprobs": True, "top_logprobs": -1},
    "unknown stop tokens": {"stop_token_ids": [BEYOND, -5]},
    "bias of unknown tokens": {"logit_bias": {str(BEYOND): 5}},
    "bias of a negative token": {"logit_bias": {"-1": 5}},
    "bias against unknown tokens": {"logit_bias": {str(BEYOND): -5}},
    "bias against a negative token": {"logit_bias": {"-1": -5}},
    "bias without bounds": {"logit_bias": {"5": 1e308}},
    "bias for the placeholder of embeddings": {"logit_bias": {"1536": 100}},
    "unknown allowed tokens": {"allowed_token_ids": [BEYOND]},
    "no allowed tokens": {"allowed_token_ids": []},
    "empty bad word": {"bad_words": [""]},
    "many bad words": {"bad_words": [f"w{i}" for i in range(2000)]},
    "empty stop": {"stop": [""]},
    "many stops": {"stop": [f"w{i}" for i in range(2000)]},
    "more tokens at least than fit": {"min_tokens": 10**12},
    "negative tokens": {"max_tokens": -1},
    "no tokens": {"max_tokens": 0},
    "negative budget": {"thinking_token_budget": -5},
    "repetition of everything": {
        "repetition_detection": {"max_pattern_size": 10**9, "min_count": 2, "min_pattern_size": 1}
    },
    "hot": {"temperature": 1e308},
    "subnormal": {"temperature": 5e-324},
    "top_k beyond the vocabulary": {"top_k": 10**9},
    "negative top_k": {"top_k": -7},
    "penalty without bounds": {"repetition_penalty": 1e308},
    "seed of 64 bits": {"seed": 2**63 - 1},
    "seed beyond 64 bits": {"seed": 2**64 - 1},
    "many beams": {"use_beam_search": True, "n": 128, "temperature": 0, "max_tokens": 2},
    "many choices": {"n": 128},
    "too many choices": {"n": 129},
    "broken regex": {"structured_outputs": {"regex": "((((a+)+)+)+"}},
    "exponential regex": {"structured_outputs": {"regex": "(a|a)*b{1,500}"}},
    "huge regex": {"structured_outputs": {"regex": "(a{1,1000}){1,1000}"}},
    "recursive schema": {"structured_outputs": {"json": {"$ref": "#"}}},
    "schema without end": {
        "structured_outputs": {"json": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}}
    },
    "schema elsewhere": {"structured_outputs": {"json": {"$ref": "http://127.0.0.1:9/x"}}},
    "broken grammar": {"structured_outputs": {"grammar": "root ::= ::= |"}},
    "grammar that eats itself": {"structured_outputs": {"grammar": "root ::= root root"}},
    "empty choice": {"structured_outputs": {"choice": []}},
    "empty constraint": {"structured_outputs": {}},
    "own backend": {"structured_outputs": {"choice": ["a"], "_backend": "x"}},
    "stream of nothing": {"stream": True, "stream_interval": 10**9},
    "effort of none": {"reasoning_effort": "none"},
}


@pytest.mark.parametrize("strain", STRAINS.values(), ids=STRAINS)
def test_the_engine_survives(corrupting: Proxy, strain: Body) -> None:
    benign, canary = (
        corrupting.post(CHAT, {**chat(user(said)), **strain}) for said in (BENIGN, CANARY)
    )

    # vLLM itself calls some of these an internal error, and lives on.
    assert benign.status_code in (200, 400, 502), benign.text
    assert canary.status_code == benign.status_code
    corrupting.assert_serves()


PROMPTS: dict[str, Any] = {
    "empty": "",
    "empty ids": [],
    "empty lists": [[]],
    "many empty ones": [""] * 200,
    "a special token": [1],
    "the last token": [1535],
    "the placeholder of embeddings": [1536],
    "the placeholder in a text": "<prompt_embeds>",
    "the canary beside an empty one": ["", CANARY],
    "the canary many times": [CANARY] * 32,
    "NUL": "\x00",
    "a lone control token": "<|end|>",
}


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_the_engine_survives_prompts(corrupting: Proxy, prompt: Any) -> None:
    answer = corrupting.post(COMPLETIONS, complete(prompt))

    assert answer.status_code < 500, answer.text
    corrupting.assert_serves()
