"""What a model server samples with where a request says nothing: Response objects tell it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SamplingDefaults:
    """vLLM's own, unless the model's `generation_config.json` says otherwise.

    `max_tokens` is the longest answer in tokens, None for as long as the context lets it be.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    max_tokens: int | None = None


VLLM_DEFAULTS = SamplingDefaults()
