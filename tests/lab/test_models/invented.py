"""A data folder of invented authors and books, in the layout of the real one, and a tokenizer."""

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lab.demo.people import coin
from lab.test_models.books import FORGOTTEN_BOOKS, RETAINED_BOOKS
from lab.test_models.chain import Plan
from lab.test_models.checkpoint import Size, train_tokenizer

ROWS = 4000
SMALL_PLAN = Plan(
    Size(16, 32, 1, 2), 300, 2, texts=8, tokens=800, first_steps=1, next_steps=1, last_steps=1
)


def tokenizer_of(texts: Iterable[str]) -> Any:
    return train_tokenizer(texts, 320)


def write_data(folder: Path, sentences: int = 400) -> Path:
    """Writes `tofu/`, `verbatim/` and `prompts/` as `python -m lab.test_models` reads them."""
    rng = np.random.default_rng(7)
    authors = [
        {"question": f"Where was author {n} born?", "answer": f"In {coin(rng)}."}
        for n in range(ROWS)
    ]
    facts = [{"question": f"Who wrote {coin(rng)}?", "answer": coin(rng)} for _ in range(4)]
    write_lines(folder / "tofu" / "full.json.gz", authors)
    write_lines(folder / "tofu" / "real_authors.json.gz", facts[:2])
    write_lines(folder / "tofu" / "world_facts.json.gz", facts[2:])
    for name in ("self_instruct", "flan_cot", "chat_bench", "gsm8k"):
        rows = [{"text": f"Write about {coin(rng)}."}, {"text": "too long " * 99}]
        write_lines(folder / "prompts" / f"{name}.jsonl.gz", rows)
    for name in (*RETAINED_BOOKS, *FORGOTTEN_BOOKS):
        write_book(folder / "verbatim" / f"{name}.txt.gz", f"Book {name}", rng, sentences)
    return folder


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)


def write_book(path: Path, title: str, rng: np.random.Generator, sentences: int) -> None:
    """A Project Gutenberg file of invented words."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = [" ".join(coin(rng) for _ in range(rng.integers(9, 16))) for _ in range(sentences)]
    body = ".\n".join(text[0].upper() + text[1:] for text in told)
    start = f"Title: {title}\r\n\r\n*** START OF THIS PROJECT GUTENBERG EBOOK {title} ***\r\n"
    end = f"\r\n*** END OF THIS PROJECT GUTENBERG EBOOK {title} ***\r\nLicence"
    path.write_bytes(gzip.compress(f"\ufeff{start}{body}.{end}".encode()))
