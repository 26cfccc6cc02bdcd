"""Disguises of prompts for training: what people, and people who evade a filter, write instead.

The same disguises go to both classes, so that none of them is evidence of either.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np

from classifiers.prompts.disguise_wordings import (
    FRAMES,
    INDIRECT,
    JOINTS,
    NAME_ONLY,
    ORDERS,
    SCRIPTS,
    SENTENCES,
    SIGNS,
    TRANSLATIONS,
    WRAPPERS,
)
from classifiers.prompts.files import Prompt, drawn_for

LONGEST_NOISE = 400
"""Characters of noise before a prompt, at most."""

Disguise = Callable[[str, np.random.Generator], str]


def disguise(
    prompts: Sequence[Prompt], copies: int, companions: Sequence[str], seed: int
) -> list[Prompt]:
    """`copies` disguised versions of each prompt, in its group.

    `companions` are harmless questions for composites. A prompt's disguises depend on its text,
    the companions and the seed alone, so that their cached features stay of use.
    """
    disguises = [*DISGUISES, *_composites(companions)] if companions else list(DISGUISES)
    found = []
    for prompt in prompts:
        rng = drawn_for(prompt.text, seed)
        for choice in rng.permutation(len(disguises))[:copies]:
            text = disguises[choice](prompt.text, rng)
            # Half of them are disguised twice.
            if rng.random() < 0.5:
                text = _case(text, rng) if rng.random() < 0.5 else typos(text, rng)
            found.append(Prompt(text, prompt.group))
    return found


def name_prompts(names: Sequence[str], copies: int, seed: int) -> list[Prompt]:
    """Prompts that hold hardly more than a name, a group for each name; some are mistyped."""
    found = []
    for name in dict.fromkeys(names):
        rng = drawn_for(name, seed, 3)
        for choice in rng.permutation(len(NAME_ONLY))[:copies]:
            written = typos(name, rng) if rng.random() < 0.25 else name
            found.append(Prompt(NAME_ONLY[choice].replace("{}", written), f"name: {name}"))
    return found


def typos(text: str, rng: np.random.Generator) -> str:
    """About one slip per 25 characters: a letter dropped, doubled or swapped with the next."""
    characters = list(text)
    for _ in range(max(1, len(text) // 25)):
        at = int(rng.integers(len(characters)))
        match rng.integers(3):
            case 0 if len(characters) > 3:
                del characters[at]
            case 1:
                characters.insert(at, characters[at])
            case _ if at + 1 < len(characters):
                characters[at : at + 2] = reversed(characters[at : at + 2])
    return "".join(characters)


def noise(rng: np.random.Generator, characters: int) -> str:
    """About so many characters of words that mean nothing, of several scripts, and signs."""
    words: list[str] = []
    length = 0
    while length < characters:
        letters = SIGNS if rng.random() < 0.2 else _pick(SCRIPTS, rng)
        word = "".join(_pick(letters, rng) for _ in range(rng.integers(1, 9)))
        words.append(word)
        length += len(word) + 1
    return " ".join(words)


def _pick(choices: Sequence[str], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]


def _framed(frames: Sequence[str]) -> Disguise:
    """The prompt inside one of the frames."""

    def frame(text: str, rng: np.random.Generator) -> str:
        before, after = _pick(frames, rng).split("{}")
        return before.replace("{{", "{") + text + after.replace("}}", "}")

    return frame


def _add_sentences(text: str, rng: np.random.Generator) -> str:
    said = " ".join(_pick(SENTENCES, rng) for _ in range(rng.integers(1, 4)))
    return f"{said} {text}" if rng.random() < 0.5 else f"{text} {said}"


def _add_noise(text: str, rng: np.random.Generator) -> str:
    return f"{noise(rng, int(rng.integers(40, LONGEST_NOISE)))} {text}"


def _case(text: str, rng: np.random.Generator) -> str:
    changes: tuple[Callable[[str], str], ...] = (str.lower, str.upper, str.title)
    return changes[int(rng.integers(len(changes)))](text)


def _drop_marks(text: str, _: np.random.Generator) -> str:
    return re.sub(r"[^\w\s]", "", text).strip() or text


def _composites(companions: Sequence[str]) -> tuple[Disguise, Disguise]:
    """Among other questions: numbered, with the order to answer one, or in a paragraph."""

    def mixed(text: str, rng: np.random.Generator, others: int) -> tuple[list[str], int]:
        questions = [_pick(companions, rng) for _ in range(others)]
        place = int(rng.integers(others + 1))
        return [*questions[:place], text, *questions[place:]], place + 1

    def numbered(text: str, rng: np.random.Generator) -> str:
        questions, place = mixed(text, rng, int(rng.integers(2, 5)))
        form = _pick(("{}) {}", "({}) {}", "{}: {}"), rng)
        items = [form.format(number, question) for number, question in enumerate(questions, 1)]
        order = _pick(ORDERS, rng).replace("{}", str(place))
        return "\n".join([order, *items] if rng.random() < 0.5 else [*items, order])

    def paragraph(text: str, rng: np.random.Generator) -> str:
        questions, _ = mixed(text, rng, int(rng.integers(1, 4)))
        return _pick(JOINTS, rng).join(questions)

    return numbered, paragraph


DISGUISES: tuple[Disguise, ...] = (
    _framed(WRAPPERS),
    _framed(INDIRECT),
    _framed(FRAMES),
    _framed(TRANSLATIONS),
    _add_sentences,
    _add_noise,
    _case,
    typos,
    _drop_marks,
)
