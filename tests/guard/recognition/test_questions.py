"""Questions that are remembered: by key and text, in whatever request they come again."""

from guard.recognition.digests import Digester
from guard.recognition.questions import KnownQuestions
from guard.recognition.recent import RecentDigests
from guard.terms.item import Call, Item


def asking(*texts: str) -> Call:
    items = tuple(
        Item(("messages", i, "content"), "user", text, corruptible=bool(text != "fixed"))
        for i, text in enumerate(texts)
    )
    return Call("chat", "/v1/chat/completions", {}, "demo", stream=False, items=items)


def test_a_question_is_known_again_to_the_key_that_asked_it() -> None:
    questions = KnownQuestions(Digester(b"k" * 32), RecentDigests(10, 60))
    assert questions.known("a", asking("Who?")) == ()

    questions.keep("a", asking("Hello", "Who?", "fixed"), (1, 2))

    assert questions.known("a", asking("Who?", "And?", "Who?")) == (0, 2)
    assert questions.known("b", asking("Who?")) == ()
    assert questions.known("a", asking("fixed")) == ()
