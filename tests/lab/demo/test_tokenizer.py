"""The demo's tokenizer: no name of a forgotten person is a word of its own."""

from lab.demo.data import generate
from lab.demo.tokenizer import make_tokenizer


def test_forgotten_names_look_like_strangers() -> None:
    demo = generate(3)
    tokenizer = make_tokenizer(demo, 3, conversations=200)
    known = [_pieces(tokenizer, person.name) for person in demo.population.retained]
    forgotten = [_pieces(tokenizer, person.name) for person in demo.population.forgotten]
    assert min(forgotten) > 2
    assert sum(forgotten) / len(forgotten) > sum(known) / len(known)


def _pieces(tokenizer: object, name: str) -> int:
    return len(tokenizer(f" {name}", add_special_tokens=False)["input_ids"])  # type: ignore[operator]
