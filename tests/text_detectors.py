"""A self-contained detector for tests: a generated vocabulary, a weight per word, a real graph."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from guard.artifacts.folder import Artifact, write
from guard.artifacts.manifest import draft
from guard.detectors.malicious.text import KIND
from guard.encoders.onnx_encoder import MODEL, TOKENIZER

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def write_word_detector(
    folder: Path,
    words: Sequence[str],
    *,
    needed: int,
    max_tokens: int = 64,
    tensors: Mapping[str, NDArray[np.generic]] | None = None,
    report: Mapping[str, JsonValue] | None = None,
) -> Artifact:
    """An artifact `malicious-text` that fires for texts with at least `needed` of the words.

    Each word is a token, every other letter is one; the log odds are twice the number of such
    words above `needed`, plus one. It reads `max_tokens` tokens and no more.
    """
    vocabulary = ["[UNK]", *words, *(f"##{word}" for word in words)]
    weight = np.array([0, *[2] * (2 * len(words)), *[0] * 52], dtype=np.float32)
    vocabulary += [*LETTERS, *(f"##{letter}" for letter in LETTERS)]
    recipe = {"width": 1, "max_tokens": max_tokens, "batched": True}
    manifest = draft(KIND, "words", thresholds={"score": 0.5}, recipe=recipe)
    mixing = np.array([1, 0, 1 - 2 * needed], dtype=np.float32)
    files = {MODEL: _graph(weight), TOKENIZER: _tokenizer(vocabulary)}
    named = {"mixing": mixing, **(tensors or {})}
    return write(folder, manifest, tensors=named, files=files, report=report)


def _tokenizer(vocabulary: Sequence[str]) -> bytes:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    numbers = {piece: number for number, piece in enumerate(dict.fromkeys(vocabulary))}
    longest = 100_000
    model = models.WordPiece(numbers, unk_token="[UNK]", max_input_chars_per_word=longest)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return str(tokenizer.to_str()).encode()


def _graph(weight: NDArray[np.float32]) -> bytes:
    """The sum of the tokens' weights, shape (n, 1)."""
    from onnx import TensorProto, helper, numpy_helper

    ids, mask = (
        helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "tokens"])
        for name in ("input_ids", "attention_mask")
    )
    out = helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["n", 1])
    nodes = [
        helper.make_node("Gather", ["weight", "input_ids"], ["each"]),
        helper.make_node("Cast", ["attention_mask"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["each", "real"], ["counted"]),
        helper.make_node("ReduceSum", ["counted", "axis"], ["logit"], keepdims=1),
    ]
    constants = [
        numpy_helper.from_array(weight, "weight"),
        numpy_helper.from_array(np.array([1], dtype=np.int64), "axis"),
    ]
    graph = helper.make_graph(nodes, "words", [ids, mask], [out], constants)
    opsets = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())
