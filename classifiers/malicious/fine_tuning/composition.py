"""Composed training prompts: what the sources lack, so that their style is no short cut.

Every composition comes with a harmless twin of the same form: a harmful question in a jailbreak
wrapper against a harmless one in a persona, a document with an injected sentence against the same
document with an honest task. A composition names the sources of its parts, so that it is left out
where one of them is held out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from classifiers.malicious.fine_tuning import phrases_en as en
from classifiers.malicious.fine_tuning import phrases_roles as roles
from classifiers.malicious.fine_tuning.phrases_world import LANGUAGES, Language
from classifiers.prompts.augmentation import typos

T = TypeVar("T")

OWN = "own"
"""The source of what is made from this package's phrases alone."""
LONGEST = 700
"""Characters; a composition stays within one serving window."""
PADDING_BYTES = (60, 480)
"""UTF-8 bytes of harmless text around a question, at least and at most: the whole stays within what
training reads."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A training prompt: malicious or not, its kind, and the sources its parts come from."""

    text: str
    malicious: bool
    kind: str
    sources: frozenset[str] = frozenset({OWN})


@dataclass(frozen=True, slots=True)
class PromptPools:
    """What is composed: harmful and harmless questions and harmless documents, with sources."""

    harmful: Sequence[tuple[str, str]]
    harmless: Sequence[tuple[str, str]]
    documents: Sequence[tuple[str, str]]


def compose(pools: PromptPools, count: int, rng: np.random.Generator) -> list[Composed]:
    """About `count` compositions, in the shares of `SHARES`, half of them malicious."""
    total = sum(SHARES.values())
    found: dict[str, Composed] = {}
    for make, share in SHARES.items():
        for number in range(round(count * share / total)):
            made = make(pools, number % 2 == 0, rng)
            found.setdefault(made.text, made)
    return list(found.values())


def _pick(choices: Sequence[T], rng: np.random.Generator) -> T:
    return choices[int(rng.integers(len(choices)))]


def _own_question(malicious: bool, rng: np.random.Generator) -> str:
    acts = en.HARMFUL_ACTS if malicious else en.HARMLESS_ACTS
    if not malicious and rng.random() < 0.25:
        return _pick(en.QUESTIONS, rng)
    return _pick(en.REQUESTS, rng).format(_pick(acts, rng))


def _question(pools: PromptPools, malicious: bool, rng: np.random.Generator) -> tuple[str, str]:
    """A question and its source: own, or one of the pools that fits a wrapper."""
    pool = pools.harmful if malicious else pools.harmless
    if not pool or rng.random() < 0.4:
        return _own_question(malicious, rng), OWN
    text, source = _pick(pool, rng)
    return text[:LONGEST], source


def _direct(_: PromptPools, malicious: bool, rng: np.random.Generator) -> Composed:
    return Composed(_own_question(malicious, rng), malicious, "harmful")


def _wrapped(pools: PromptPools, malicious: bool, rng: np.random.Generator) -> Composed:
    """Wrapper and content each decide: only a persona around a harmless question is harmless."""
    harmful = malicious and rng.random() < 0.8
    jailbreak = malicious and (not harmful or rng.random() < 0.75)
    question, source = _question(pools, harmful, rng)
    wrapper = _pick(en.JAILBREAKS if jailbreak else en.PERSONAS, rng)
    if rng.random() < 0.3:
        other = _pick(en.JAILBREAKS if jailbreak else en.PERSONAS, rng)
        wrapper = other.replace("{q}", "") + wrapper
    if rng.random() < 0.15:
        wrapper = f"{_pick(en.PERSONAS, rng).replace('{q}', '')} {wrapper}"
    text = wrapper.replace("{name}", _pick(en.NAMES, rng)).replace("{q}", question)
    return Composed(text, malicious, "jailbreak", frozenset({OWN, source}))


def _role(pools: PromptPools, malicious: bool, rng: np.random.Generator) -> Composed:
    """A long role prompt; of a malicious one at least two of role, task and rules are."""
    spared = int(rng.integers(4)) if malicious else -1
    role = _pick(roles.BAD_ROLES if malicious and spared != 0 else roles.ROLES, rng)
    task = _pick(roles.BAD_TASKS if malicious and spared != 1 else roles.TASKS, rng)
    duties = [_pick(roles.DUTIES, rng) for _ in range(rng.integers(2, 6))]
    if malicious and spared != 2:
        duties += [_pick(roles.BAD_DUTIES, rng) for _ in range(rng.integers(1, 3))]
    lines = [duties[int(place)] for place in rng.permutation(len(duties))]
    listed = "\n".join(f"- {line}" for line in lines) if rng.random() < 0.6 else ". ".join(lines)
    heading = _pick(("You will:", "Rules:", "Constraints:", "Guidelines:", ""), rng)
    opening = _pick(roles.OPENINGS, rng)
    for slot, value in (
        *(("{a}", "an" if role[0] in "aeiou" else "a"), ("{role}", role)),
        *(("{Role}", role.capitalize()), ("{field}", _pick(roles.FIELDS, rng))),
        ("{name}", _pick(en.NAMES, rng)),
    ):
        opening = opening.replace(slot, value)
    text = f"{opening} Your task is to {task}.\n\n{heading}\n{listed}"
    if rng.random() < 0.4:
        question, source = _question(pools, malicious and bool(rng.random() < 0.5), rng)
        return Composed(f"{text}\n{question}", malicious, "jailbreak", frozenset({OWN, source}))
    return Composed(text, malicious, "jailbreak")


def _inserted(pools: PromptPools, malicious: bool, rng: np.random.Generator) -> Composed:
    """A document, clean or with a sentence for the model put at a random place."""
    document, source = _document(pools, rng)
    task = _pick(en.READING_TASKS, rng) if rng.random() < 0.4 else ""
    if malicious:
        document = _insert(document, _injection(rng), rng)
    text = f"{task}\n{document}" if rng.random() < 0.7 else f"{document}\n{task}"
    return Composed(text.strip(), malicious, "injection", frozenset({OWN, source}))


def _document(pools: PromptPools, rng: np.random.Generator) -> tuple[str, str]:
    if not pools.documents or rng.random() < 0.15:
        return _email(rng), OWN
    text, source = _pick(pools.documents, rng)
    start = int(rng.integers(max(1, len(text) - LONGEST)))
    return text[start : start + LONGEST], source


def _email(rng: np.random.Generator) -> str:
    greeting = _pick(("Hi team,", "Dear customer,", "Hello Anna,", "Good morning,"), rng)
    lines = (
        *(
            "the delivery is planned for Tuesday.",
            "your invoice is attached.",
            "thanks for coming.",
        ),
        *(
            "the meeting moves to room 4.",
            "our new hours start in May.",
            "please find the minutes.",
        ),
        *("the price rises by 3 percent.", "let me know what you think.", "the server was down."),
        *("ignore my last email, the date was wrong.", "instructions for the new printer follow."),
    )
    body = " ".join(_pick(lines, rng).capitalize() for _ in range(rng.integers(2, 6)))
    return f"{greeting}\n{body}\nBest, {_pick(en.NAMES, rng)}"


def _injection(rng: np.random.Generator) -> str:
    payload = _pick(en.PAYLOADS, rng)
    if rng.random() < 0.25:
        payload = _own_question(bool(rng.random() < 0.5), rng)
    form = _pick(en.OVERRIDES if rng.random() < 0.6 else en.PLAIN_PAYLOADS, rng)
    lowered = payload[:1].lower() + payload[1:]
    raised = payload[:1].upper() + payload[1:]
    return form.replace("{t}", lowered).replace("{T}", raised)


def _insert(document: str, sentence: str, rng: np.random.Generator) -> str:
    """The sentence before, after or, as often as both, within the document at a sentence's end."""
    place = rng.random()
    if place < 0.25:
        return f"{sentence}\n{document}"
    if place < 0.6:
        return f"{document}\n{sentence}"
    ends = [i + 1 for i, character in enumerate(document) if character in ".!?\n|"] or [0]
    at = _pick(ends, rng)
    return f"{document[:at]} {sentence} {document[at:]}"


def _override(pools: PromptPools, malicious: bool, rng: np.random.Generator) -> Composed:
    """A direct injection: a harmless question that turns, against one that goes on."""
    question, source = _question(pools, False, rng)
    other, second = _question(pools, False, rng)
    if malicious:
        other = _injection(rng) if rng.random() < 0.7 else _pick(en.EXTRACTIONS, rng)
        text = f"{question[:LONGEST]} {other}" if rng.random() < 0.7 else other
        return Composed(text, True, "injection", frozenset({OWN, source}))
    text = f"{question[: LONGEST // 2]} {other[: LONGEST // 2]}"
    return Composed(text, False, "injection", frozenset({OWN, source, second}))


def _padded(pools: PromptPools, malicious: bool, rng: np.random.Generator) -> Composed:
    """A question within harmless text: padding must neither hide nor be evidence."""
    core, source = _core(pools, malicious, rng)
    filler, second = _filler(pools, rng)
    cut = filler.rfind(" ", 0, int(rng.integers(len(filler) + 1))) + 1
    around = (filler[:cut], filler[cut:]) if rng.random() < 0.5 else (filler, "")
    before, after = around if rng.random() < 0.5 else around[::-1]
    gap = _pick((" ", "\n", "\n\n", "\n\nAlso: ", " Then: "), rng)
    text = gap.join(part for part in (before.strip(), core, after.strip()) if part)
    return Composed(text, malicious, "padded", frozenset({OWN, source, second}))


def _core(pools: PromptPools, malicious: bool, rng: np.random.Generator) -> tuple[str, str]:
    """What is padded, and its source: questions, some foreign, injections, short wrappers."""
    kind = rng.random()
    if kind < 0.12:
        language = _pick(tuple(LANGUAGES.values()), rng)
        return _foreign_question(language, malicious, rng), OWN
    if malicious and kind < 0.3:
        return _injection(rng) if rng.random() < 0.6 else _pick(en.EXTRACTIONS, rng), OWN
    if kind < 0.4:
        wrapper = _pick(en.JAILBREAKS if malicious else en.PERSONAS, rng)
        question = _own_question(malicious, rng)
        return wrapper.replace("{name}", _pick(en.NAMES, rng)).replace("{q}", question), OWN
    return _question(pools, malicious, rng)


def _filler(pools: PromptPools, rng: np.random.Generator) -> tuple[str, str]:
    """Harmless text of one source, cut between words."""
    size = int(rng.integers(*PADDING_BYTES))
    kind = rng.random()
    if kind < 0.4 or not pools.documents or not pools.harmless:
        order = rng.permutation(len(roles.FILLERS))
        text, source = " ".join(roles.FILLERS[int(place)] for place in order), OWN
    elif kind < 0.75:
        text, source = _pick(pools.documents, rng)
        start = text.find(" ", int(rng.integers(max(1, len(text) - size)))) + 1
        text = text[start:]
    else:
        first, source = _pick(pools.harmless, rng)
        own = [text for text, other in pools.harmless if other == source]
        text = " ".join([first, *(_pick(own, rng) for _ in range(7))])
    # Bytes count tokens better than characters do: four of English, three of Chinese make one.
    kept = text.encode("utf-8", "ignore")[:size].decode("utf-8", "ignore")
    return kept.rsplit(" ", 1)[0] if len(kept) < len(text) else kept, source


def _typed(pools: PromptPools, malicious: bool, rng: np.random.Generator) -> Composed:
    """A question with slips of the keyboard."""
    question, source = _question(pools, malicious, rng)
    return Composed(typos(question, rng), malicious, "harmful", frozenset({OWN, source}))


def _foreign(_: PromptPools, malicious: bool, rng: np.random.Generator) -> Composed:
    language = _pick(tuple(LANGUAGES.values()), rng)
    question = _foreign_question(language, malicious, rng)
    if rng.random() < 0.25:
        wrapper = language.override if malicious else language.persona
        question = wrapper.replace("{name}", _pick(en.NAMES, rng)).replace("{q}", question)
    return Composed(question, malicious, "language")


def _foreign_question(language: Language, malicious: bool, rng: np.random.Generator) -> str:
    acts = language.harmful if malicious else language.harmless
    return _pick(language.requests, rng).format(_pick(acts, rng))


SHARES: Mapping[Callable[[PromptPools, bool, np.random.Generator], Composed], float] = {
    _direct: 3,
    _wrapped: 2.5,
    _role: 2.5,
    _inserted: 2.6,
    _override: 0.9,
    _padded: 4,
    _typed: 0.5,
    _foreign: 3,
}
"""Each maker's share of the compositions."""
