"""Token states of the frozen layers, computed once for all windows and kept on disk."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import orjson
from numpy.typing import NDArray

from classifiers.runs.device import Device, choose_device, moved

if TYPE_CHECKING:
    from torch import Tensor, device

    from classifiers.malicious.fine_tuning.tower import Tower

Indices = NDArray[np.int64]
Count = Callable[[int], None]
"""Told how many more windows are done."""
BATCH_ROWS, BATCH_TOKENS = 64, 4096
"""At most so many windows, and tokens after padding, in one batch."""


@dataclass(frozen=True, slots=True)
class TokenStates:
    """States of all windows end to end, float16 (tokens, width); window i is offsets[i:i+2].

    `features` (pools, width) are what the anchor reads, mean-pooled over each whole window and
    then its segments, float16; those of window i are pool_offsets[i:i+2].
    """

    states: NDArray[np.float16]
    features: NDArray[np.float16]
    offsets: Indices
    pool_offsets: Indices

    @property
    def lengths(self) -> Indices:
        """Tokens of each window."""
        return np.diff(self.offsets)

    def pools(self, windows: Indices) -> tuple[Indices, Indices]:
        """The rows of `features` that these windows have, and the place, within `windows`, of
        the window that each belongs to, both (pools,)."""
        counts = self.pool_offsets[windows + 1] - self.pool_offsets[windows]
        owners = np.repeat(np.arange(len(windows)), counts)
        starts = np.repeat(self.pool_offsets[windows] - np.cumsum(counts) + counts, counts)
        return starts + np.arange(len(owners)), owners

    def batch(
        self, windows: Sequence[int] | Indices, most: int, place: "device"
    ) -> "tuple[Tensor, Tensor]":
        """States (batch, length, width), float32, and mask (batch, length), each window cut to
        `most` tokens, on the device `place`."""
        import torch

        counts = np.minimum(self.lengths[windows], most)
        states = np.zeros((len(counts), int(counts.max()), self.states.shape[1]), np.float32)
        mask = np.zeros(states.shape[:2], np.float32)
        for row, (window, count) in enumerate(zip(windows, counts, strict=True)):
            start = self.offsets[window]
            states[row, :count] = self.states[start : start + count]
            mask[row, :count] = 1
        return torch.from_numpy(states).to(place), torch.from_numpy(mask).to(place)


def batches_by_length(lengths: Indices, order: Indices) -> Iterator[Indices]:
    """The windows of `order`, which is sorted by length, in bounded batches."""
    start = 0
    while start < len(order):
        last = min(len(order), start + BATCH_ROWS) - 1
        rows = max(1, min(BATCH_ROWS, BATCH_TOKENS // max(1, int(lengths[order[last]]))))
        yield order[start : start + rows]
        start += rows


def compute_states(
    tower: "Tower",
    tokens: Sequence[Sequence[int]],
    folder: Path,
    count: Count | None = None,
    device: Device | None = None,
) -> TokenStates:
    """The frozen layers' states for tokenized windows, kept in `folder`; what is there is reused.

    They are computed in float32 on `device` (default: the one there is). An interrupted run goes on
    after the last batch that was written whole.
    """
    from classifiers.malicious.fine_tuning.tower import pool_counts

    lengths = np.array([len(window) for window in tokens], dtype=np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    place = folder / f"states-{_digest(tower, tokens)}"
    place.mkdir(parents=True, exist_ok=True)
    states = _memory_map(place / "states.f16", int(offsets[-1]), tower.width)
    pools = pool_counts(lengths, tower.segment)
    pool_offsets = np.concatenate([[0], np.cumsum(pools)]).astype(np.int64)
    features = _memory_map(place / "features.f16", int(pool_offsets[-1]), tower.width)
    found = TokenStates(states, features, offsets, pool_offsets)
    done_file = place / "done.json"
    done = int(orjson.loads(done_file.read_bytes())) if done_file.exists() else 0
    # By length, for little padding in a batch; stable, so that a resumed run has the same batches.
    order = np.argsort(lengths, kind="stable")
    with moved(tower, device or choose_device()):
        for number, batch in enumerate(batches_by_length(lengths, order)):
            if number >= done:
                _fill(tower, tokens, found, batch)
                if number % 50 == 49:
                    _mark(found, done_file, number + 1)
            if count is not None:
                count(len(batch))
    _mark(found, done_file, 1 << 60)
    return found


def _mark(found: TokenStates, file: Path, done: int) -> None:
    for array in (found.states, found.features):
        if isinstance(array, np.memmap):
            array.flush()
    temporary = file.with_suffix(".new")
    temporary.write_bytes(orjson.dumps(done))
    temporary.replace(file)


def _fill(
    tower: "Tower", tokens: Sequence[Sequence[int]], found: TokenStates, batch: Indices
) -> None:
    import torch

    longest = max(len(tokens[window]) for window in batch)
    ids = np.zeros((len(batch), longest), np.int64)
    mask = np.zeros_like(ids)
    for row, window in enumerate(batch):
        ids[row, : len(tokens[window])] = tokens[window]
        mask[row, : len(tokens[window])] = 1
    place = tower.head.weight.device
    with torch.inference_mode():
        seen = torch.from_numpy(mask).to(place)
        read = tower.lower_with_features(torch.from_numpy(ids).to(place), seen)
        # (batch, length, width) and (batch, pools, width)
        states, features = (tensor.cpu().numpy() for tensor in read)
    for row, window in enumerate(batch):
        first, last = found.pool_offsets[window], found.pool_offsets[window + 1]
        found.features[first:last] = features[row, : last - first]
        start, end = found.offsets[window], found.offsets[window + 1]
        found.states[start:end] = states[row, : len(tokens[window])]


def _memory_map(
    file: Path, rows: int, width: int
) -> "np.memmap[tuple[int, int], np.dtype[np.float16]]":
    size = rows * width * 2
    mode = "r+" if file.exists() and file.stat().st_size == size else "w+"
    return np.memmap(file, np.float16, mode, shape=(rows, width))  # type: ignore[call-overload,no-any-return]


def _digest(tower: "Tower", tokens: Sequence[Sequence[int]]) -> str:
    """Names the states of these windows by this tower's frozen layers."""
    depths = [tower.frozen, tower.segment, tower.anchor_layer]
    digest = hashlib.sha256(" ".join(str(d) for d in depths if d is not None).encode())
    for tensor in tower.backbone.state_dict().values():
        digest.update(np.ascontiguousarray(tensor.numpy()).tobytes())
    for window in tokens:
        digest.update(np.asarray(window, dtype=np.int32).tobytes() + b"|")
    return digest.hexdigest()[:16]
