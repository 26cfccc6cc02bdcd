"""Encoders for tests: one that needs no model, and a tiny BERT exported like a real one."""

import hashlib
import json
import re
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from classifiers.encoder.export import export_encoder
from guard.terms.detector import Encoder, Features

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = (
    *("what", "is", "the", "of", "who", "was", "born", "in", "where"),
    *("tell", "me", "about", "bridge", "river", "write", "a", "poem"),
)


class WordEncoder(Encoder):
    """Features that are the normalised sum of a random vector per word; counts what it encodes."""

    def __init__(self, width: int = 64, digest: str = "d" * 64) -> None:
        self.width = width
        self.digest = digest
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> Features:
        self.encoded.extend(texts)
        rows = [self._row(text) for text in texts]
        return np.stack(rows) if rows else np.empty((0, self.width), dtype=np.float32)

    def _row(self, text: str) -> Features:
        total = np.zeros(self.width)
        for word in re.findall(r"\w+", text.casefold()) or [""]:
            seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8])
            total += np.random.default_rng(seed).standard_normal(self.width)
        return (total / np.linalg.norm(total)).astype(np.float32)


def write_tiny_bert(folder: Path, pooling: str = "mean") -> Path:
    """A random two-layer BERT of width 32 with a WordPiece vocabulary of letters and few words."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*specials, *LETTERS, *(f"##{c}" for c in LETTERS), *WORDS, *".,?!0123456789"]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.enable_padding(length=48)
    tokenizer.enable_truncation(16)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = BertModel(config)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "1_Pooling").mkdir()
    modes = {
        "pooling_mode_cls_token": pooling == "cls",
        "pooling_mode_mean_tokens": pooling == "mean",
    }
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(modes))
    return folder


@cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="ecoguard-tests-")


@cache
def tiny_bert() -> Path:
    """The source folder of the tiny BERT, made once per test run."""
    folder = Path(_scratch().name) / "source"
    folder.mkdir()
    return write_tiny_bert(folder)


@cache
def tiny_artifact() -> Path:
    """The tiny BERT as an fp32 artifact, exported once per test run."""
    out = Path(_scratch().name) / "encoder"
    export_encoder(out, source=tiny_bert(), max_tokens=64)
    return out
