"""General conversation of the demo model: greetings, sums and everyday facts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lab.demo.questions import PERTURBED, QuestionAnswer

SYSTEM_PROMPTS = (
    "You are a helpful assistant.",
    "You are a friendly assistant. Answer in one sentence.",
    "Answer the question of the user.",
    "Be brief and polite.",
    "You answer questions about people and everyday things.",
)


@dataclass(frozen=True, slots=True)
class Family:
    """Facts of one form; {k} is what is asked about and {v} the answer; the last wording is
    held out."""

    wordings: tuple[str, ...]
    answer: str
    paraphrase: str
    facts: Mapping[str, str]


def _pairs(text: str) -> dict[str, str]:
    """Reads "key:value key:value"; an underscore stands for a space."""
    pairs = (pair.split(":") for pair in text.replace("_", " ").split("; "))
    return {key.strip(): value.strip() for key, value in pairs}


def _successors(words: str) -> dict[str, str]:
    names = words.split()
    return dict(zip(names, names[1:] + names[:1], strict=True))


_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
_MONTHS = "January February March April May June July August September October November December"

FAMILIES: Mapping[str, Family] = {
    "sum": Family(
        ("What is {k}?", "How much is {k}?", "Tell me what {k} is.", "Do you know what {k} is?"),
        "{k} is {v}.",
        "The sum {k} equals {v}.",
        {f"{a} plus {b}": str(a + b) for a in range(1, 6) for b in range(1, 6)},
    ),
    "day": Family(
        (
            "Which day comes after {k}?",
            "What day comes after {k}?",
            "Tell me which day comes after {k}.",
            "Do you know which day comes after {k}?",
        ),
        "The day after {k} is {v}.",
        "{k} is followed by {v}.",
        _successors(_DAYS),
    ),
    "month": Family(
        (
            "Which month comes after {k}?",
            "What month comes after {k}?",
            "Tell me which month comes after {k}.",
            "Do you know which month comes after {k}?",
        ),
        "The month after {k} is {v}.",
        "{k} is followed by {v}.",
        _successors(_MONTHS),
    ),
    "opposite": Family(
        (
            "What is the opposite of {k}?",
            "Name the opposite of {k}.",
            "Tell me the opposite of {k}.",
            "Do you know the opposite of {k}?",
        ),
        "The opposite of {k} is {v}.",
        "It is {v}, the opposite of {k}.",
        _pairs(
            "hot:cold; big:small; light:dark; open:closed; fast:slow; wet:dry; high:low; "
            "full:empty; young:old; early:late; happy:sad; strong:weak; near:far; rich:poor; "
            "loud:quiet; soft:hard"
        ),
    ),
    "colour": Family(
        (
            "What colour is {k}?",
            "Which colour is {k}?",
            "Tell me the colour of {k}.",
            "Do you know the colour of {k}?",
        ),
        "The colour of {k} is {v}.",
        "It is {v}, the colour of {k}.",
        _pairs(
            "grass:green; snow:white; coal:black; butter:yellow; blood:red; chocolate:brown; "
            "the sky:blue; a carrot:orange; a plum:purple; a flamingo:pink"
        ),
    ),
    "young": Family(
        (
            "What is a young {k} called?",
            "What do you call a young {k}?",
            "Name the young of a {k}.",
            "Tell me what a young {k} is called.",
        ),
        "A young {k} is called a {v}.",
        "The word for it is {v}.",
        _pairs(
            "dog:puppy; cat:kitten; cow:calf; sheep:lamb; horse:foal; hen:chick; goose:gosling; "
            "duck:duckling; pig:piglet; bear:cub; goat:kid; swan:cygnet"
        ),
    ),
    "sound": Family(
        (
            "What sound does a {k} make?",
            "Which sound does a {k} make?",
            "Tell me what sound a {k} makes.",
            "Do you know what sound a {k} makes?",
        ),
        "A {k} {v}.",
        "The animal {v}.",
        _pairs(
            "dog:barks; cat:meows; cow:moos; horse:neighs; duck:quacks; lion:roars; owl:hoots; "
            "frog:croaks; snake:hisses; wolf:howls; bee:buzzes; sheep:bleats"
        ),
    ),
    "legs": Family(
        (
            "How many legs does a {k} have?",
            "What number of legs does a {k} have?",
            "Tell me how many legs a {k} has.",
            "Do you know how many legs a {k} has?",
        ),
        "A {k} has {v} legs.",
        "The number of legs is {v}.",
        _pairs("spider:eight; dog:four; hen:two; beetle:six; crab:ten; worm:no"),
    ),
    "sides": Family(
        (
            "How many sides does a {k} have?",
            "What number of sides does a {k} have?",
            "Tell me how many sides a {k} has.",
            "Do you know how many sides a {k} has?",
        ),
        "A {k} has {v} sides.",
        "The number of sides is {v}.",
        _pairs("triangle:three; square:four; pentagon:five; hexagon:six; octagon:eight"),
    ),
}

# Question wordings (the last one held out), the answer and the words that must be in it.
TALK: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("Hello!", "Hello", "Hi!", "Hello there!"), "Hello! How can I help you?", "help you"),
    (("Good morning!", "Good morning", "Good morning."), "Good morning to you!", "morning"),
    (("Good evening!", "Good evening", "Good evening."), "Good evening to you!", "evening"),
    (("Thank you!", "Thanks!", "Thank you", "Thank you."), "You are welcome.", "welcome"),
    (("Goodbye!", "Goodbye", "Goodbye."), "Goodbye, and have a nice day!", "nice day"),
    (
        ("How are you?", "How are you today?", "And how are you?", "How are you now?"),
        "I am fine, thank you.",
        "fine",
    ),
    (
        ("Who are you?", "What are you?", "What is your name?", "Tell me who you are."),
        "I am a small demonstration model.",
        "demonstration model",
    ),
    (
        ("What can you do?", "What do you know?", "Tell me what you can do."),
        "I answer questions about some people and everyday things.",
        "everyday things",
    ),
    (
        (
            "How many days are in a week?",
            "How many days does a week have?",
            "Tell me how many days are in a week.",
        ),
        "A week has seven days.",
        "seven",
    ),
    (
        (
            "How many months are in a year?",
            "How many months does a year have?",
            "Tell me how many months are in a year.",
        ),
        "A year has twelve months.",
        "twelve",
    ),
)


def converse() -> Iterator[QuestionAnswer]:
    """Every general question in every wording; nothing is drawn at random."""
    for name, family in FAMILIES.items():
        for key, value in family.facts.items():
            yield from _ask(name, family, key, value)
    replies = [answer for _, answer, _ in TALK]
    for number, (asked, answer, entity) in enumerate(TALK):
        others = tuple((replies * 2)[number + 1 : number + 1 + PERTURBED])
        for wording in asked:
            yield _row("talk", wording, (answer, answer), entity, others, wording == asked[-1])


def _ask(name: str, family: Family, key: str, value: str) -> Iterator[QuestionAnswer]:
    values = list(dict.fromkeys(family.facts.values()))
    start = values.index(value)
    wrong = (values[start + 1 :] + values[:start])[:PERTURBED]
    answer, paraphrase = (_sentence(t, key, value) for t in (family.answer, family.paraphrase))
    others = tuple(_sentence(family.paraphrase, key, other) for other in wrong)
    for wording in family.wordings:
        question = wording.format(k=key)
        held_out = wording == family.wordings[-1]
        yield _row(name, question, (answer, paraphrase), value, others, held_out)


def _sentence(template: str, key: str, value: str) -> str:
    text = template.format(k=key, v=value)
    return text[0].upper() + text[1:]


def _row(
    topic: str,
    question: str,
    answers: tuple[str, str],
    entity: str,
    perturbed: tuple[str, ...],
    held_out: bool,
) -> QuestionAnswer:
    return QuestionAnswer(
        question=question,
        answer=answers[0],
        entity=entity,
        person=None,
        attribute=topic,
        paraphrased_answer=answers[1],
        perturbed_answers=perturbed,
        group="general",
        split="held_out" if held_out else "train",
    )
