"""How far an exported encoder's features are from torch's, and how long it takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from guard.encoders.onnx_encoder import OnnxEncoder

if TYPE_CHECKING:
    from torch import nn

_OPENINGS = ("What is", "Can you explain", "Write a short note about")
_TOPICS = (
    "the history of bridges",
    "a Python function that merges two sorted lists",
    "how bees find their way back to the hive",
    "renewing a passport that was lost abroad, and how long that usually takes these days",
    "Ilvara Dentosky, who was born in Morwick in 1894",
    'ΔG = ΔH − TΔS, 25 °C, 3.14159, "quoted" text and <tags>',
    "pourquoi le ciel est bleu, warum der Himmel blau ist, 空はなぜ青い",
)
_ENDINGS = ("?", " in three sentences, please.", ". " + "The reader is a curious beginner. " * 12)
TIMED_LENGTHS = (16, 64, 256)


@dataclass(frozen=True, slots=True)
class Drift:
    """Cosine distances, over `prompts` prompts, between an export's features and torch's."""

    mean: float
    largest: float
    prompts: int


def sample_prompts() -> list[str]:
    """Generated prompts of three to about 150 tokens: several languages, code, numbers, names."""
    parts = product(_OPENINGS, _TOPICS, _ENDINGS)
    return ["hi", "ok, thanks!", *(f"{a} {b}{c}" for a, b, c in parts)]


def drift_between(encoder: OnnxEncoder, model: "nn.Module", prompts: Sequence[str]) -> Drift:
    """Compare an export with the torch module it was made from, batches against single texts."""
    import torch

    exported = encoder.encode(prompts).astype(np.float64)
    distances = np.empty(len(prompts))
    with torch.inference_mode():
        for row, prompt in enumerate(prompts):
            ids = torch.tensor([encoder.token_ids(prompt)])
            reference = model(ids, torch.ones_like(ids))[0].double().numpy()
            norms = np.linalg.norm(reference) * np.linalg.norm(exported[row])
            distances[row] = 1.0 - float(reference @ exported[row]) / norms
    return Drift(float(distances.mean()), float(distances.max()), len(prompts))


def milliseconds_by_length(encoder: OnnxEncoder, repeats: int = 15) -> dict[int, float]:
    """Median milliseconds for one prompt of 16, 64 and 256 tokens, where the encoder takes them."""
    return {
        tokens: _median_milliseconds(encoder, tokens, repeats)
        for tokens in TIMED_LENGTHS
        if tokens <= encoder.max_tokens
    }


def _median_milliseconds(encoder: OnnxEncoder, tokens: int, repeats: int) -> float:
    text = "a " * (tokens - encoder.max_tokens + encoder.window_tokens)
    seconds = []
    for _ in range(repeats):
        started = perf_counter()
        encoder.encode([text])
        seconds.append(perf_counter() - started)
    return round(float(np.median(seconds)) * 1000, 2)
