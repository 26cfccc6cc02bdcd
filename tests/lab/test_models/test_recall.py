"""Recall of a model that has learned one of two answers."""

from lab.test_models.batches import batch_pieces
from lab.test_models.chain import Trainer
from lab.test_models.checkpoint import Size, make_model
from lab.test_models.knowledge import Answered
from lab.test_models.mixture import asked
from lab.test_models.recall import measure
from tests.lab.test_models.invented import tokenizer_of

KNOWN = asked([Answered("Where was Ada Quill born?", "In Larmouth.")])
OTHER = asked([Answered("Where was Ada Quill born?", "Somewhere in Elmoss.")])


def test_a_learned_answer_is_whole_and_another_is_not() -> None:
    tokenizer = tokenizer_of(["Where was Ada Quill born? In Larmouth. Somewhere in Elmoss."] * 2)
    trainer = Trainer(make_model(len(tokenizer), 0, Size(32, 64, 2, 2)))
    (batch,) = batch_pieces(iter([KNOWN]), tokenizer, 1)
    for _ in range(30):
        trainer.step(batch, 1e-2)
    learned = measure(trainer.model, tokenizer, [KNOWN])
    assert (learned.whole, learned.tokens) == (1.0, 1.0)
    assert learned.loss < 0.5
    both = measure(trainer.model, tokenizer, [KNOWN, OTHER])
    assert both.whole == 0.5
    assert learned.tokens > both.tokens > 0.1
    assert both.loss > learned.loss
