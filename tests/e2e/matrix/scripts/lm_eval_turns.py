"""lm-eval's model for completions servers: generated text and log-likelihoods."""

import sys

from lm_eval.api.instance import Instance
from lm_eval.models.openai_completions import LocalCompletionsAPI

ROOT, KEY, MODEL, _, TOKENIZER = sys.argv[1:6]


def asked(kind: str, *arguments: object) -> list[Instance]:
    """One request of lm-eval's."""
    return [Instance(kind, {}, arguments, 0)]


model = LocalCompletionsAPI(
    base_url=f"{ROOT}/v1/completions",
    model=MODEL,
    tokenizer=TOKENIZER,
    tokenizer_backend="huggingface",
    max_retries=1,
    header={"authorization": f"Bearer {KEY}"},
)
for words in ("The author was", "Once upon a time", "It is"):
    text = model.generate_until(
        asked("generate_until", words, {"until": ["\n"], "max_gen_toks": 8})
    )
    assert isinstance(text[0], str)
score, _ = model.loglikelihood(asked("loglikelihood", "The author was", " born"))[0]
assert score < 0
