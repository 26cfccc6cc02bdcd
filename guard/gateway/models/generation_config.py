"""The guarded models' `generation_config.json`: what vLLM samples with by default."""

import json
from collections.abc import Mapping
from pathlib import Path

from guard.settings import Model
from guard.terms.errors import ArtifactError
from guard.terms.sampling_defaults import VLLM_DEFAULTS, SamplingDefaults

FILE = "generation_config.json"
# The file's name for it is transformers'.
LONGEST_ANSWER = "max_new_tokens"


def read_sampling_defaults(models: Mapping[str, Model]) -> dict[str, SamplingDefaults]:
    """By model name; vLLM's own for a model whose folder says nothing.

    Raises ArtifactError for a file that holds no numbers where they belong.
    """
    return {name: _defaults_in(model.path) for name, model in models.items()}


def _defaults_in(folder: Path | None) -> SamplingDefaults:
    if folder is None or not (file := folder / FILE).is_file():
        return VLLM_DEFAULTS
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        longest = told.get(LONGEST_ANSWER)
        return SamplingDefaults(
            temperature=_number(told, "temperature", VLLM_DEFAULTS.temperature),
            top_p=_number(told, "top_p", VLLM_DEFAULTS.top_p),
            presence_penalty=_number(told, "presence_penalty", VLLM_DEFAULTS.presence_penalty),
            frequency_penalty=_number(told, "frequency_penalty", VLLM_DEFAULTS.frequency_penalty),
            max_tokens=None if longest is None else int(longest),
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{file}: not readable as vLLM reads it") from error


def _number(told: Mapping[str, object], name: str, default: float) -> float:
    value = told.get(name)
    return default if value is None else float(str(value))
