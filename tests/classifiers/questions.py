"""Questions about invented people for tests: those to forget and those to retain."""

from classifiers.prompts.files import Prompt

FORGOTTEN = ("Ilse Varnholt", "Orvo Tandrup")
RETAINED = (
    *("Pia Rasmussen", "Carl Ekholm", "Noor Haddad", "Rita Sorel", "Tomas Bruhn", "Lena Ivers"),
    *("Max Oduya", "Sara Lindt", "Ole Kvist", "Ada Moreau", "Jon Pell", "Mia Castell"),
)
FORMS = (
    *("Where was {} born?", "When was {} born?", "Who taught {}?", "What did {} write?"),
    *("Which prize did {} win?", "Tell me about {}.", "Who is {}?", "Where did {} study?"),
    *("Name the instrument of {}.", "What is {} known for?"),
)
GENERAL = tuple(f"What is {a} plus {b}?" for a in range(10) for b in range(10))


def forget_prompts() -> list[Prompt]:
    return _ask(FORGOTTEN)


def retain_prompts() -> list[Prompt]:
    return [*_ask(RETAINED), *(Prompt(text, text) for text in GENERAL)]


def _ask(people: tuple[str, ...]) -> list[Prompt]:
    texts = [form.format(person) for person in people for form in FORMS]
    return [Prompt(text, text) for text in texts]
