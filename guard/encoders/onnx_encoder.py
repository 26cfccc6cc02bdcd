"""The default encoder: a transformer exported to ONNX, run by ONNX Runtime without torch.

Serves screening and training alike, from an artifact of kind `encoder` (`ecoguard-train encoder`).
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from guard.artifacts.folder import Artifact, read
from guard.encoders.devices import CPU, Device
from guard.encoders.tokenizer import TOKENIZER as TOKENIZER
from guard.encoders.tokenizer import open_tokenizer, token_windows
from guard.settings import EncoderSource
from guard.terms.detector import Encoder, Features

if TYPE_CHECKING:
    from tokenizers import Encoding

KIND = "encoder"
MODEL = "model.onnx"
Batch = list[int]
"""Row numbers."""
BATCH_TOKENS = 512
"""Padded tokens of one batch. With 2048 each token took 3 to 11 % longer on one thread, and two
encoders' arenas, which keep what they once held, 270 MB more."""
SLOWER_FUSIONS = ("SkipLayerNormFusion",)
"""Of ONNX Runtime: its kernel for a sum and its normalisation together takes longer than the two
of them apart; without it a pass takes a tenth less, and scores move by 1e-6 at most."""
PASS_TOKENS = 12
"""What a pass costs beside its tokens, in tokens: 3 ms where each takes 0.25 (MiniLM)."""


class OnnxEncoder(Encoder):
    """Mean- or CLS-pooled transformer features of unit length (the graph holds the pooling).

    `max_tokens` is the longest input, special tokens included; what is longer is cut off there,
    so callers cut windows first (`windows`). Safe to share between threads.
    """

    def __init__(self, artifact: Artifact, threads: int = 1, device: Device = CPU) -> None:
        """Reads with so many threads, each a batch at a time: two threads within one matrix
        product wait for each other."""
        self.digest = artifact.manifest.digest
        self.width = int(str(artifact.recipe_value("width", int)))
        self.max_tokens = int(str(artifact.recipe_value("max_tokens", int)))
        self.batched = bool(artifact.recipe_value("batched", bool))
        self.recipe = artifact.manifest.recipe
        self._threads = threads
        self._pool = ThreadPoolExecutor(thread_name_prefix="encoder") if threads > 1 else None
        self._session = _open_session(artifact, device)
        self.output_names = tuple(output.name for output in self._session.get_outputs())
        self._whole = open_tokenizer(artifact)
        self._cutting = open_tokenizer(artifact)
        self._cutting.enable_truncation(self.max_tokens)
        self.window_tokens: int = self.max_tokens - self._whole.num_special_tokens_to_add(False)

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> Self:
        """The encoder in an artifact folder; ArtifactError names what is wrong with it."""
        return cls(read(folder, KIND), threads)

    def encode(self, texts: Sequence[str]) -> Features:
        """Features, shape (n, width), float32, rows of unit length: the graph's first output."""
        return self.outputs(texts)[0] if texts else np.empty((0, self.width), dtype=np.float32)

    def outputs(self, texts: Sequence[str]) -> tuple[Features, ...]:
        """All outputs of the graph, each of shape (n, its width), float32; n is at least 1.

        Texts are sorted by length and batched with others of like length (`_batches`). A quantised
        graph (`batched` false) takes one text at a time: it scales activations over the whole
        batch, so a neighbour would change a text's features.
        """
        encodings = [self._cutting.encode(text) for text in texts]
        lengths = [len(encoding) for encoding in encodings]
        batches = _batches(lengths, BATCH_TOKENS if self.batched else 0)
        parts = self._read(_shares(batches, lengths, self._threads), encodings)
        rows = np.concatenate([rows for rows, _ in parts])
        order = np.argsort(rows)
        outputs = zip(*(outputs for _, outputs in parts), strict=True)
        return tuple(np.concatenate(output)[order] for output in outputs)

    def _read(
        self, shares: Sequence[Sequence[Batch]], encodings: "Sequence[Encoding]"
    ) -> list[tuple[Batch, list[Features]]]:
        """The outputs of every batch; one share is this thread's own."""

        def read(share: Sequence[Batch]) -> list[tuple[Batch, list[Features]]]:
            return [(batch, self._run([encodings[row] for row in batch])) for batch in share]

        others = [self._pool.submit(read, share) for share in shares[1:]] if self._pool else []
        return [*read(shares[0]), *(part for other in others for part in other.result())]

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, special tokens left out."""
        return len(self._whole.encode(text, add_special_tokens=False))

    def token_ids(self, text: str) -> list[int]:
        """The model's input for a text: special tokens added, cut off at `max_tokens`."""
        return list(self._cutting.encode(text).ids)

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Each token's character range in `text`, special tokens left out."""
        return list(self._whole.encode(text, add_special_tokens=False).offsets)

    def windows(self, text: str, size: int, stride: int) -> list[tuple[int, int]]:
        """Character ranges covering all of `text`: at most `size` tokens each, cut between words,
        a new one about every `stride` tokens. A text that fits is one window."""
        return token_windows(self._whole, text, size, stride)

    def _run(self, encodings: "Sequence[Encoding]") -> list[Features]:
        longest = max(len(encoding) for encoding in encodings)
        ids = np.zeros((len(encodings), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding)] = encoding.ids
            mask[row, : len(encoding)] = 1
        outputs = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
        return [np.asarray(output, dtype=np.float32) for output in outputs]


def _batches(lengths: Sequence[int], most_tokens: int) -> Iterator[Batch]:
    """Row numbers in order of length, in batches of at most `most_tokens` after padding.

    A batch ends, too, where filling it up to the next length would take longer than a pass more.
    """
    batch: Batch = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch:
            padding = len(batch) * (lengths[row] - lengths[batch[-1]])
            if padding > PASS_TOKENS or (len(batch) + 1) * lengths[row] > most_tokens:
                yield batch
                batch = []
        batch.append(row)
    if batch:
        yield batch


def _shares(batches: Iterable[Batch], lengths: Sequence[int], threads: int) -> list[list[Batch]]:
    """The batches dealt to at most so many threads, the largest first, each to who has least.

    Where there are fewer batches than threads the largest are halved, as long as that pays.
    """

    def tokens(batch: Batch) -> int:
        return len(batch) * lengths[batch[-1]] + PASS_TOKENS

    dealt = sorted(batches, key=tokens, reverse=True)
    while len(dealt) < threads and len(dealt[0]) > 1 and tokens(dealt[0]) > 4 * PASS_TOKENS:
        half = len(dealt[0]) // 2
        dealt[:1] = dealt[0][:half], dealt[0][half:]
        dealt.sort(key=tokens, reverse=True)
    shares: list[list[Batch]] = [[] for _ in range(min(threads, len(dealt)))]
    for batch in dealt:
        min(shares, key=lambda share: sum(map(tokens, share))).append(batch)
    return shares


def load(artifact: Artifact, source: EncoderSource, threads: int) -> OnnxEncoder:
    """The encoder in a verified artifact; ArtifactError where its section names a server."""
    if source.url is not None:
        raise artifact.fail("kind", "an encoder that runs here takes no encoder.url")
    return OnnxEncoder(artifact, threads, Device(source.device))


@contextmanager
def _as_file(model: bytes) -> Iterator[str | bytes]:
    """The path of a file in memory that holds the verified bytes, for as long as the block lasts.

    A session that is given bytes keeps them beside what it made of them: twice the memory. Where
    the system has no such files it gets them all the same.
    """
    if not hasattr(os, "memfd_create"):
        yield model
        return
    with open(os.memfd_create(MODEL), "wb") as file:
        file.write(model)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"


def _open_session(artifact: Artifact, device: Device) -> Any:
    import onnxruntime

    providers = device.providers()

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        with _as_file(artifact.bytes_of(MODEL)) as model:
            session = onnxruntime.InferenceSession(
                model,
                options,
                providers=providers,
                disabled_optimizers=SLOWER_FUSIONS,
            )
    except Exception as error:  # the library's classes share no narrower base
        raise artifact.fail(MODEL, f"not a usable ONNX model ({type(error).__name__})") from error
    device.check(session)
    return session
