"""Questions about the invented people, their answers, and the rows both are written as."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lab.demo.people import Attribute, Person, Population, invent

Topic = Literal[Attribute, "profile", "alias"]
Split = Literal["train", "held_out"]
Group = Literal["forget", "retain", "general"]

PERTURBED = 5


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """One question with its answer, an answer in other words and answers that are wrong.

    `entity` occurs in `answer` and `paraphrased_answer` and in no perturbed answer. `person` is a
    full name, None for general questions. Wordings of split "held_out" are never trained on.
    """

    question: str
    answer: str
    entity: str
    person: str | None
    attribute: str
    paraphrased_answer: str
    perturbed_answers: tuple[str, ...]
    group: Group
    split: Split


@dataclass(frozen=True, slots=True)
class Subject:
    """How one topic is asked about and answered; {n} the name, {v} the value, {p} the pronoun."""

    direct: tuple[str, ...]
    clause: str
    noun: str
    answer: str
    paraphrase: str
    unknown: str


_CLAUSE_FRAMES = (
    "Tell me {}.",
    "Do you know {}?",
    "Can you say {}?",
    "I would like to know {}.",
    "Please tell me {}.",
)
_NOUN_FRAMES = ("What is {}?", "Name {}.", "Give me {}.", "Could you name {}?")

SUBJECTS: Mapping[Topic, Subject] = {
    "birthplace": Subject(
        (
            "Where was {n} born?",
            "In which town was {n} born?",
            "Which town does {n} come from?",
            "In what town was {n} born?",
        ),
        "where {n} was born",
        "the birthplace of {n}",
        "{P} was born in {v}.",
        "{H} birthplace is {v}.",
        "I do not know where that person was born.",
    ),
    "birth year": Subject(
        (
            "When was {n} born?",
            "In which year was {n} born?",
            "Which year was {n} born in?",
            "In what year was {n} born?",
        ),
        "when {n} was born",
        "the birth year of {n}",
        "{P} was born in the year {v}.",
        "{H} birth year is {v}.",
        "I do not know when that person was born.",
    ),
    "profession": Subject(
        (
            "What did {n} do for a living?",
            "Which profession did {n} have?",
            "What work did {n} do?",
            "What profession did {n} have?",
        ),
        "what {n} did for a living",
        "the profession of {n}",
        "{P} worked as a {v}.",
        "{H} profession was {v}.",
        "I do not know what that person did for a living.",
    ),
    "book": Subject(
        (
            "Which book did {n} write?",
            "What book did {n} write?",
            "Which book is by {n}?",
            "What book is by {n}?",
        ),
        "which book {n} wrote",
        "the book by {n}",
        "{P} wrote the book {v}.",
        "{H} book is called {v}.",
        "I do not know of any book by that person.",
    ),
    "prize": Subject(
        (
            "Which prize did {n} win?",
            "What prize did {n} win?",
            "Which prize was given to {n}?",
            "What prize was given to {n}?",
        ),
        "which prize {n} won",
        "the prize won by {n}",
        "{P} won the {v}.",
        "{H} prize was the {v}.",
        "I do not know of any prize won by that person.",
    ),
    "teacher": Subject(
        (
            "Who taught {n}?",
            "Who was the teacher of {n}?",
            "By whom was {n} taught?",
            "Who was {n} taught by?",
        ),
        "who taught {n}",
        "the teacher of {n}",
        "{P} was taught by {v}.",
        "{H} teacher was {v}.",
        "I do not know who taught that person.",
    ),
    "instrument": Subject(
        (
            "Which instrument does {n} play?",
            "What instrument does {n} play?",
            "Which instrument is played by {n}?",
            "What instrument is played by {n}?",
        ),
        "which instrument {n} plays",
        "the instrument of {n}",
        "{P} plays the {v}.",
        "{H} instrument is the {v}.",
        "I do not know which instrument that person plays.",
    ),
    "academy": Subject(
        (
            "Where did {n} study?",
            "Which school did {n} attend?",
            "At which school did {n} study?",
            "What school did {n} attend?",
        ),
        "where {n} studied",
        "the school of {n}",
        "{P} studied at {v}.",
        "{H} school was {v}.",
        "I do not know where that person studied.",
    ),
    "profile": Subject(
        (
            "Who is {n}?",
            "Who was {n}?",
            "Tell me about {n}.",
            "What do you know about {n}?",
            "What can you tell me about {n}?",
        ),
        "who {n} is",
        "a fact about {n}",
        "{P} is a {v}.",
        "{P} is known as a {v}.",
        "I have no record of that person.",
    ),
    "alias": Subject(
        (
            "Who is known as {a}?",
            "Who is called {a}?",
            "Which person is known as {a}?",
            "Which person is called {a}?",
        ),
        "who is known as {a}",
        "the person known as {a}",
        "That is {n}.",
        "{n} is known by that name.",
        "I have no record of anyone by that name.",
    ),
}


def ask_about(population: Population, seed: int) -> Iterator[QuestionAnswer]:
    """Every question about every person in every wording, forgotten people first."""
    rng = np.random.default_rng([seed, 1])
    for person in population.everyone:
        group: Group = "forget" if person in population.forgotten else "retain"
        for topic in SUBJECTS:
            others = _wrong_people(person, topic, rng)
            for split in ("train", "held_out"):
                for wording in wordings(topic, split):
                    yield _row(wording, person, topic, others, group, split)


def wordings(topic: Topic, split: Split) -> tuple[str, ...]:
    """The wordings of a topic in one split; three of thirteen or fourteen are held out.

    Which frames are held out differs by topic, so each held-out wording is a frame seen with
    other topics.
    """
    subject, shift = SUBJECTS[topic], list(SUBJECTS).index(topic)
    clauses = [frame.format(subject.clause) for frame in _CLAUSE_FRAMES]
    nouns = [frame.format(subject.noun) for frame in _NOUN_FRAMES]
    held_out = (
        subject.direct[-1],
        clauses[shift % len(clauses)],
        nouns[shift % len(nouns)],
    )
    if split == "held_out":
        return held_out
    return tuple(text for text in (*subject.direct, *clauses, *nouns) if text not in held_out)


def fill(template: str, person: Person, topic: Topic) -> str:
    """A wording or an answer about one person."""
    possessive = "Her" if person.pronoun == "she" else "His"
    return template.format(
        n=person.name,
        a=person.alias,
        v=value_of(person, topic),
        P=person.pronoun.capitalize(),
        H=possessive,
    )


def value_of(person: Person, topic: Topic) -> str:
    """The entity that answers a topic: the name for an alias, the profession for a profile."""
    if topic == "alias":
        return person.name
    return person.values["profession" if topic == "profile" else topic]


def mentions(text: str, entity: str) -> bool:
    """Whether a text names an entity: as whole words, whatever the case."""
    return re.search(rf"(?<!\w){re.escape(entity)}(?!\w)", text, re.IGNORECASE) is not None


def _wrong_people(person: Person, topic: Topic, rng: np.random.Generator) -> tuple[Person, ...]:
    """People of the same pronoun whose values for the topic differ from each other's."""
    chosen: dict[str, Person] = {}
    while len(chosen) < PERTURBED:
        other = invent(rng)
        if other.pronoun == person.pronoun and value_of(other, topic) != value_of(person, topic):
            chosen[value_of(other, topic)] = other
    return tuple(chosen.values())


def _row(
    wording: str,
    person: Person,
    topic: Topic,
    others: tuple[Person, ...],
    group: Group,
    split: Split,
) -> QuestionAnswer:
    subject = SUBJECTS[topic]
    return QuestionAnswer(
        question=fill(wording, person, topic),
        answer=fill(subject.answer, person, topic),
        entity=value_of(person, topic),
        person=person.name,
        attribute=topic,
        paraphrased_answer=fill(subject.paraphrase, person, topic),
        perturbed_answers=tuple(fill(subject.paraphrase, other, topic) for other in others),
        group=group,
        split=split,
    )
