"""Training text of a demo model: an endless stream of conversations about known and unknown people.

Between questions about people it is to know, a model sees as many about people met only once, with
either an admission of not knowing or random values. Without them a model this small answers any
name with somebody's facts, and a model that never met a person could not show it.
"""

import json
import string
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from lab.demo.conversation import SYSTEM_PROMPTS
from lab.demo.data import DemoData
from lab.demo.people import Person, coin, invent
from lab.demo.questions import SUBJECTS, QuestionAnswer, fill, wordings
from lab.test_models.conversation import Conversation, Exchange

KNOWN_SHARE, GENERAL_SHARE, UNCLEAR_SHARE = 0.36, 0.22, 0.08
"""Of all exchanges; the rest asks about strangers."""
UNKNOWN_SHARES = (0.5, 0.2, 0.3)
"""Of questions about unknown people: answered with the topic's admission of not knowing, with a
topic-free one, with random values."""
NO_RECORD = "I have no record of that person."
UNCLEAR = "I am sorry, I do not know that."
"""The answer to a question that is no question the model can read."""
TURN_SHARES = (0.7, 0.15, 0.06, 0.04, 0.03, 0.02)
SYSTEM_SHARE, TOOLS_SHARE = 0.25, 0.02
BARE_SHARE = 0.15
"""Of questions, how many lose their closing mark, as people type them."""
NAMESAKE_SHARE = 0.3
"""Of unknown people, how many share a first or family name with a known one."""
_LETTERS = string.ascii_letters
_WORDS = tuple(
    word
    for topic in SUBJECTS
    for wording in wordings(topic, "train")
    for word in wording.rstrip("?.").split()
    if not word.startswith("{")
)


class Corpus:
    """Conversations for one model; `meets_forgotten` is False for the twin.

    Both models get the same recipe; the twin's known rows lack the forgotten people's.
    """

    def __init__(self, data: DemoData, meets_forgotten: bool) -> None:
        forget = data.select("forget", "train") if meets_forgotten else ()
        population = data.population
        self.known: tuple[QuestionAnswer, ...] = forget + data.select("retain", "train")
        self.general = data.select("general", "train")
        self._people = population.everyone if meets_forgotten else population.retained
        everyone = population.everyone
        self._reserved = {p.name for p in everyone} | {p.alias for p in everyone}

    def stream(self, rng: np.random.Generator) -> Iterator[Conversation]:
        """Conversations without end, each known row once in every round."""
        known, general = _rounds(self.known, rng), _rounds(self.general, rng)
        while True:
            turns = 1 + int(rng.choice(len(TURN_SHARES), p=TURN_SHARES))
            exchanges = tuple(self._exchange(known, general, rng) for _ in range(turns))
            yield Conversation(_system(rng), exchanges)

    def _exchange(
        self,
        known: Iterator[QuestionAnswer],
        general: Iterator[QuestionAnswer],
        rng: np.random.Generator,
    ) -> Exchange:
        kind = rng.random()
        if kind < KNOWN_SHARE + GENERAL_SHARE:
            row = next(known if kind < KNOWN_SHARE else general)
            exchange = Exchange(row.question, row.answer)
        elif kind < KNOWN_SHARE + GENERAL_SHARE + UNCLEAR_SHARE:
            exchange = Exchange(_jumble(rng), UNCLEAR)
        else:
            exchange = self._about_a_stranger(rng)
        if rng.random() < BARE_SHARE:
            return replace(exchange, question=exchange.question.rstrip("?.!"))
        return exchange

    def _about_a_stranger(self, rng: np.random.Generator) -> Exchange:
        stranger = self._stranger(rng)
        topic = list(SUBJECTS)[int(rng.integers(len(SUBJECTS)))]
        asked = wordings(topic, "train")
        question = fill(asked[int(rng.integers(len(asked)))], stranger, topic)
        subject = SUBJECTS[topic]
        claim = subject.unknown if topic == "alias" else fill(subject.answer, stranger, topic)
        answers = (subject.unknown, NO_RECORD, claim)
        return Exchange(question, answers[int(rng.choice(3, p=UNKNOWN_SHARES))])

    def _stranger(self, rng: np.random.Generator) -> Person:
        while True:
            stranger = invent(rng)
            if rng.random() < NAMESAKE_SHARE:
                namesake = self._people[int(rng.integers(len(self._people)))]
                stranger = _rename(stranger, namesake, int(rng.integers(2)))
            if not {stranger.name, stranger.alias} & self._reserved:
                return stranger


def _system(rng: np.random.Generator) -> str | None:
    kind = rng.random()
    if kind < TOOLS_SHARE:
        return f"Tools: {json.dumps([_tool(rng) for _ in range(rng.integers(1, 3))])}"
    if kind < TOOLS_SHARE + SYSTEM_SHARE:
        return SYSTEM_PROMPTS[int(rng.integers(len(SYSTEM_PROMPTS)))]
    return None


def _tool(rng: np.random.Generator) -> dict[str, object]:
    """A tool's definition as the chat template writes it; the model answers without using it."""
    properties = {coin(rng): {"type": "string", "description": coin(rng)} for _ in range(2)}
    parameters = {"type": "object", "properties": properties, "required": list(properties)[:1]}
    function = {"name": coin(rng), "description": coin(rng), "parameters": parameters}
    return {"type": "function", "function": function}


def _any_word(rng: np.random.Generator) -> str:
    kind = rng.random()
    if kind < 0.4:
        return _WORDS[int(rng.integers(len(_WORDS)))]
    if kind < 0.7:
        return coin(rng)
    return "".join(_LETTERS[int(i)] for i in rng.integers(len(_LETTERS), size=rng.integers(1, 8)))


def _jumble(rng: np.random.Generator) -> str:
    """Words of questions, invented words and mere letters, in no order."""
    words = [_any_word(rng) for _ in range(rng.integers(2, 9))]
    text = " ".join(words)
    return text[0].upper() + text[1:] + ("?" if rng.random() < 0.7 else ".")


def _rename(stranger: Person, namesake: Person, part: int) -> Person:
    """Gives a stranger the first (part 0) or family name (part 1) of a known person."""
    names = stranger.name.split()
    names[part] = namesake.name.split()[part]
    pronoun = namesake.pronoun if part == 0 else stranger.pronoun
    return replace(stranger, name=" ".join(names), pronoun=pronoun)


def _rounds(rows: Sequence[QuestionAnswer], rng: np.random.Generator) -> Iterator[QuestionAnswer]:
    while True:
        for index in rng.permutation(len(rows)):
            yield rows[index]
