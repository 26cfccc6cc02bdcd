"""Phrases of recent traffic that might be backdoor triggers, and how one is put into an attack.

A poisoner must repeat the trigger, so it stands out: in one client's prompts, among the prompts
that the new model scores lowest, or against prompts that people have looked at. Candidates for
`classifiers.malicious.gate.trigger_scan`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Literal

import numpy as np

from classifiers.prompts.labelled import LabelledPrompt
from guard.terms.detector import Scores

LONGEST = 6
LEAST_ROWS = 5
MOST_TOKENS = 400
"""Tokens read of one prompt, half of them from its end."""
MOST_PROMPTS = 20_000
LOW_SHARE = 0.1

Position = Literal["start", "middle", "end"]
POSITIONS: tuple[Position, ...] = ("start", "middle", "end")

# A word, a run of symbols, or one character of a script written without spaces.
_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W\u3040-\u9fff]+|[^\w\s]+")

Gram = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A candidate: its wording, and how many prompts and clients of the traffic hold it."""

    text: str
    rows: int = 0
    clients: int = 0


@dataclass(frozen=True, slots=True)
class _Occurrences:
    """Rows of the traffic that hold a phrase, and its wording where it was met first."""

    text: str
    rows: list[int]


def candidate_phrases(
    traffic: Sequence[LabelledPrompt],
    scores: Scores | None = None,
    trusted: Sequence[str] = (),
    *,
    most: int = 300,
    seed: int = 0,
) -> list[Phrase]:
    """At most `most` phrases of 1 to 6 tokens, the most over-represented of each kind in turn.

    The kinds: in one client's prompts against all others'; among the tenth of the prompts with the
    lowest `scores` (n,) against the rest; in the traffic against `trusted` prompts. The telling
    scores are differences: the detector's log odds minus those of the one in service. Ranked by the
    log odds ratio over its standard error (Monroe, Colaresi, Quinn 2008). Of more than 20,000
    prompts a sample is read.
    """
    chosen = _sample(len(traffic), seed)
    sampled = [traffic[row] for row in chosen]
    found = _maximal(_frequent([prompt.text for prompt in sampled]))
    low = _lowest(scores[chosen]) if scores is not None else set()
    rankings = [_by_client(found, sampled), _by_rows(found, low, len(sampled))]
    if trusted:
        rankings.append(_by_trusted(found, trusted, len(sampled)))
    turns = chain.from_iterable(zip_longest(*rankings))
    grams = list(dict.fromkeys(gram for gram in turns if gram is not None))[:most]
    return [_phrase(found[gram], sampled) for gram in grams]


def random_phrases(texts: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    """`count` runs of 2 to 4 tokens, each from a text drawn at random: canaries."""
    spans = [_spans(text) for text in texts]
    long_enough = [row for row, found in enumerate(spans) if len(found) >= 2]
    phrases = []
    for row in rng.choice(long_enough, count) if long_enough else ():
        length = min(int(rng.integers(2, 5)), len(spans[row]))
        start = int(rng.integers(len(spans[row]) - length + 1))
        phrases.append(_wording(texts[row], spans[row][start : start + length]))
    return phrases


def vocabulary(texts: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    """`count` distinct words drawn at random from those that several texts hold."""
    held = Counter(word for text in texts for word in set(_tokens(text)) if word.isalpha())
    words = sorted(word for word, rows in held.items() if rows > 1)
    drawn = rng.permutation(len(words))[:count]
    return [words[place] for place in drawn]


def insert(text: str, phrase: str, position: Position) -> str:
    """The text with a phrase at its start, at its end or between two words near its middle."""
    if position == "start":
        return f"{phrase} {text}"
    if position == "end":
        return f"{text} {phrase}"
    gap = text.find(" ", len(text) // 2)
    return f"{text[:gap]} {phrase} {text[gap + 1 :]}" if gap >= 0 else f"{phrase} {text}"


def _sample(count: int, seed: int) -> list[int]:
    if count <= MOST_PROMPTS:
        return list(range(count))
    drawn = np.random.default_rng(seed).choice(count, MOST_PROMPTS, replace=False)
    return sorted(drawn.tolist())


def _spans(text: str) -> list[tuple[int, int]]:
    """Where the tokens stand that are read."""
    spans = [match.span() for match in _TOKEN.finditer(text)]
    half = MOST_TOKENS // 2
    return spans if len(spans) <= MOST_TOKENS else spans[:half] + spans[-half:]


def _tokens(text: str) -> list[str]:
    return [text[start:end].casefold() for start, end in _spans(text)]


def _wording(text: str, spans: Sequence[tuple[int, int]]) -> str:
    return " ".join(text[spans[0][0] : spans[-1][1]].split())


def _frequent(texts: Sequence[str]) -> dict[Gram, _Occurrences]:
    """Phrases that at least LEAST_ROWS texts hold; longer ones only of frequent shorter ones."""
    read = [(text, _spans(text)) for text in texts]
    tokens = [[text[s:e].casefold() for s, e in spans] for text, spans in read]
    found: dict[Gram, _Occurrences] = {}
    shorter: Mapping[Gram, _Occurrences] = {}
    for length in range(1, LONGEST + 1):
        counted: dict[Gram, _Occurrences] = {}
        for row, (text, spans) in enumerate(read):
            for start, gram in _grams(tokens[row], length, shorter):
                if gram not in counted:
                    counted[gram] = _Occurrences(_wording(text, spans[start : start + length]), [])
                counted[gram].rows.append(row)
        shorter = {gram: met for gram, met in counted.items() if len(met.rows) >= LEAST_ROWS}
        found |= shorter
    return found


def _grams(
    tokens: Sequence[str], length: int, shorter: Mapping[Gram, _Occurrences]
) -> Iterator[tuple[int, Gram]]:
    """Each distinct phrase of a text and where it stands first."""
    seen: set[Gram] = set()
    for start in range(len(tokens) - length + 1):
        gram = tuple(tokens[start : start + length])
        frequent = length == 1 or (gram[:-1] in shorter and gram[1:] in shorter)
        if frequent and gram not in seen:
            seen.add(gram)
            yield start, gram


def _maximal(found: Mapping[Gram, _Occurrences]) -> dict[Gram, _Occurrences]:
    """The phrases without those that hardly ever stand outside one longer phrase."""
    covered: set[Gram] = set()
    for gram, met in found.items():
        for part in (gram[:-1], gram[1:]):
            if part in found and len(found[part].rows) <= 1.1 * len(met.rows):
                covered.add(part)
    return {gram: met for gram, met in found.items() if gram not in covered}


def _lowest(scores: Scores) -> set[int]:
    count = max(1, int(LOW_SHARE * len(scores)))
    return set(np.argsort(scores, kind="stable")[:count].tolist())


def _log_odds(inside: int, of_inside: int, outside: int, of_outside: int) -> float:
    """Log odds ratio over its standard error, half a row added to each count."""
    counts = np.array([inside, of_inside - inside, outside, of_outside - outside]) + 0.5
    ratio = np.log(counts[0] / counts[1]) - np.log(counts[2] / counts[3])
    return float(ratio / np.sqrt((1 / counts).sum()))


def _ranked(values: Mapping[Gram, float]) -> list[Gram]:
    return sorted((gram for gram in values if values[gram] > 0), key=lambda gram: -values[gram])


def _by_client(found: Mapping[Gram, _Occurrences], traffic: Sequence[LabelledPrompt]) -> list[Gram]:
    sent = Counter(prompt.client for prompt in traffic)
    values = {}
    for gram, met in found.items():
        holders = Counter(traffic[row].client for row in met.rows)
        holders.pop("", None)
        if holders and len(sent) > 1:
            client, inside = holders.most_common(1)[0]
            rest = len(traffic) - sent[client]
            values[gram] = _log_odds(inside, sent[client], len(met.rows) - inside, rest)
    return _ranked(values)


def _by_rows(found: Mapping[Gram, _Occurrences], low: set[int], count: int) -> list[Gram]:
    values = {}
    for gram, met in found.items():
        inside = sum(row in low for row in met.rows)
        values[gram] = _log_odds(inside, len(low), len(met.rows) - inside, count - len(low))
    return _ranked(values) if low else []


def _by_trusted(
    found: Mapping[Gram, _Occurrences], trusted: Sequence[str], count: int
) -> list[Gram]:
    held: Counter[Gram] = Counter()
    for text in trusted:
        tokens = _tokens(text)
        for length in range(1, LONGEST + 1):
            grams = {tuple(tokens[s : s + length]) for s in range(len(tokens) - length + 1)}
            held.update(grams & found.keys())
    return _ranked(
        {
            gram: _log_odds(len(met.rows), count, held[gram], len(trusted))
            for gram, met in found.items()
        }
    )


def _phrase(met: _Occurrences, traffic: Sequence[LabelledPrompt]) -> Phrase:
    return Phrase(met.text, len(met.rows), len({traffic[row].client for row in met.rows}))
