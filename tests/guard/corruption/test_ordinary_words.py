"""Which words could be names."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from guard.corruption.ordinary_words import ordinary_text, strange_tokens

WORDS = ("where", "was", "born", "Where", "Paris", "in", "I", "a", "an", "d", "u", "maria", "Was")
PIECES = ("Il", "##se", "Varn", "##holt", "19", "##56", "?", ".", "[UNK]", "##a", "Maria")


def make() -> Tokenizer:
    vocabulary = {token: at for at, token in enumerate((*WORDS, *PIECES))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Where was Ilse Varnholt born?", "Where was               born?"),
        ("was Maria born in Paris?", "was       born in      ?"),
        ("was maria born", "was maria born"),  # a small letter's name: the guard looks again
        ("Was I born? Where?", "Was I born? Where?"),
        ("born in 1956.", "born in     ."),
        ("d a u d", "  a    "),  # letters that stand alone spell
        ("Paris", "     "),  # not a word in small letters
        ("", ""),
    ],
)
def test_names_go_and_the_question_stays(text: str, left: str) -> None:
    tokenizer = make()
    encoding, vocabulary = tokenizer.encode(text), frozenset(tokenizer.get_vocab())
    assert ordinary_text(text, encoding, vocabulary) == left
    strange = strange_tokens(text, encoding, vocabulary)
    for (start, end), is_strange in zip(encoding.offsets, strange, strict=True):
        assert is_strange == (left[start:end].strip() == "")
