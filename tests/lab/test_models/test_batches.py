"""Batches: every text once, no more tokens than asked for."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lab.test_models.batches import batch_pieces
from tests.lab.test_models.invented import tokenizer_of

TOKENIZER = tokenizer_of(["one two three four"] * 2)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=60), st.integers(1, 8))
def test_texts_come_once_within_the_limits(lengths: list[int], size: int) -> None:
    texts = [[("<s>", False), ("a" * length, True)] for length in lengths]
    batches = list(batch_pieces(iter(texts), TOKENIZER, size, tokens=80))
    spoken = sorted(int(row.sum()) for batch in batches for row in batch.answers)
    ids = TOKENIZER(["a" * n for n in lengths], add_special_tokens=False)["input_ids"]
    assert spoken == sorted(map(len, ids))
    for batch in batches:
        assert len(batch.ids) == 1 or batch.ids.size <= 80
        assert len(batch.ids) <= size
