"""How long the proxy takes to corrupt a prompt: tokens, rows, noise, tensor, base64, body.

    python -m lab.performance.corruption [--hidden 4096] [--tokens 32 256 2048] [--plain-heap]

The table is a made-up one in bfloat16, memory-mapped from a safetensors file like a real one;
`--plain-heap` leaves glibc's heap as it is, to show what `guard.gateway.sizing` brings.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import ml_dtypes
import numpy as np

from guard.corruption.functions import Corruption
from guard.corruption.prompt_embedder import PromptEmbedder
from guard.gateway.sizing import settle
from guard.wire.json_body import serialise

VOCABULARY = 4096
WARM_UP = 5


def write_model(folder: Path, hidden: int) -> Path:
    """A model folder with a random table and a tokenizer of one token per word."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder.mkdir()
    rows = np.random.default_rng(0).standard_normal((VOCABULARY, hidden), dtype=np.float32) * 0.02
    save_file(
        {"model.embed_tokens.weight": rows.astype(ml_dtypes.bfloat16)},
        folder / "model.safetensors",
    )
    config = {"model_type": "llama", "hidden_size": hidden, "max_position_embeddings": 1 << 15}
    (folder / "config.json").write_text(json.dumps(config))
    words = {f"w{number}": number for number in range(VOCABULARY - 8)}
    tokenizer = Tokenizer(models.WordLevel({**words, "[UNK]": len(words)}, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def milliseconds(
    embedder: PromptEmbedder, tokens: int, corruption: Corruption, repeats: int
) -> list[float]:
    """Of each repeat: from the text to the bytes of the body that goes upstream."""
    taken = []
    for repeat in range(WARM_UP + repeats):
        text = " ".join(f"w{(repeat * 31 + place) % 4000}" for place in range(tokens))
        started = perf_counter()
        embeds = embedder.embed_text(text, "bench", corruption)
        part = {"type": "prompt_embeds", "data": embeds.data}
        serialise({"model": "m", "messages": [{"role": "user", "content": [part]}]})
        taken.append((perf_counter() - started) * 1000)
    return taken[WARM_UP:]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--hidden", type=int, default=4096)
    parser.add_argument("--tokens", type=int, nargs="*", default=[32, 256, 2048])
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--plain-heap", action="store_true")
    given = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="ecoguard-bench-") as scratch:
        model = write_model(Path(scratch) / "model", given.hidden)
        embedder = PromptEmbedder.open(model, key=b"bench", max_tokens=1 << 15)
        if not given.plain_heap:
            settle()
        for dims in (1, given.hidden):
            for tokens in given.tokens:
                corruption = Corruption("rand_noise_first_n", dims, 5.0)
                with ThreadPoolExecutor(1) as thread:  # as in serving: another heap than main's
                    done = thread.submit(milliseconds, embedder, tokens, corruption, given.repeats)
                taken = done.result()
                best, middle, worst = np.percentile(taken, [0, 50, 99])
                sys.stdout.write(
                    f"{tokens:5d} tokens x {given.hidden}, {dims} dims: "
                    f"median {middle:.2f} ms, best {best:.2f}, p99 {worst:.2f}\n"
                )


if __name__ == "__main__":
    main()
