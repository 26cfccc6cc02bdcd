"""The demo's tokenizer: one for both models."""

import itertools
from typing import TYPE_CHECKING

import numpy as np

from lab.demo.corpus import Corpus
from lab.demo.data import DemoData
from lab.test_models.checkpoint import train_tokenizer
from lab.test_models.conversation import render

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

MERGED_VOCABULARY = 1536


def make_tokenizer(
    data: DemoData, seed: int, conversations: int = 4000
) -> "PreTrainedTokenizerFast":
    """One tokenizer for both models: its text is the twin's, without one word about the forgotten
    people, so that their names look like any stranger's.
    """
    return train_tokenizer(_sample_text(data, seed, conversations), MERGED_VOCABULARY)


def _sample_text(data: DemoData, seed: int, conversations: int) -> list[str]:
    stream = Corpus(data, meets_forgotten=False).stream(np.random.default_rng([seed, 2]))
    return [
        text
        for conversation in itertools.islice(stream, conversations)
        for text, _ in render(conversation)
    ]
