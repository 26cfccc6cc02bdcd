"""Rewriting calls: flagged texts become embeddings, everything else stays to the letter."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guard.corruption.functions import Corruption
from guard.corruption.prompt_embedder import PromptEmbedder
from guard.corruption.rewriting import Rewriter, open_rewriter
from guard.settings import Settings
from guard.terms.errors import ArtifactError, ConfigError, RequestError
from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.terms.verdict import Action, Finding, Verdict
from guard.wire import chat, completions, embeddings
from guard.wire.fields import FieldRules
from tests.guard.corruption.checkpoints import make_tokenizer, random_rows, write_checkpoint
from tests.guard.corruption.test_payload import load

NOISE = Corruption("rand_noise_first_n", 1, 50.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "model", random_rows(300, 8, np.dtype(np.float32)))


@pytest.fixture
def embedder(folder: Path) -> PromptEmbedder:
    return PromptEmbedder.open(folder, key=b"k", max_tokens=64)


@pytest.fixture
def rewriter(embedder: PromptEmbedder) -> Rewriter:
    return Rewriter({"demo": embedder}, NOISE, key=b"k")


def messages_of(body: JsonObject) -> list[dict[str, Any]]:
    messages = body["messages"]
    assert isinstance(messages, list)
    return messages


def verdict(*items: int, detector: str = "set") -> Verdict:
    return Verdict((Finding("p", detector, Action.CORRUPT, 1.0, 0.5, items),))


def chat_call(*contents: Any) -> Call:
    messages = [{"role": "user", "content": content} for content in contents]
    body: dict[str, Any] = {"model": "demo", "messages": messages, "seed": 1}
    return chat.parse(body, FieldRules(), None)


def completion_call(prompt: Any) -> Call:
    return completions.parse({"model": "demo", "prompt": prompt, "n": 2}, FieldRules(), spell)


def spell(ids: list[int]) -> str:
    return " ".join("abc"[token % 3] for token in ids)


def test_flagged_message_becomes_one_part_and_the_rest_is_the_same(
    rewriter: Rewriter, embedder: PromptEmbedder
) -> None:
    call = chat_call("hello there.", "a secret")

    body, tokens = rewriter.rewrite(call, verdict(1))

    data = embedder.embed_text("a secret", "set", NOISE).data
    part = {"type": "prompt_embeds", "data": data}
    flagged = {"role": "user", "content": [part]}
    assert body == {**call.body, "messages": [messages_of(call.body)[0], flagged]}
    assert tokens == embedder.count_tokens("a secret")
    assert messages_of(call.body)[1] == {"role": "user", "content": "a secret"}


def test_flagged_part_is_replaced_among_its_neighbours(rewriter: Rewriter) -> None:
    parts = [{"type": "text", "text": text} for text in ("one.", "two.", "three")]

    body, _ = rewriter.rewrite(chat_call(parts), verdict(1))

    content = messages_of(body)[0]["content"]
    assert [part["type"] for part in content] == ["text", "prompt_embeds", "text"]
    assert [content[0], content[2]] == [parts[0], parts[2]]


def test_what_goes_on_with_a_flagged_sentence_is_corrupted_too(rewriter: Rewriter) -> None:
    parts = [{"type": "text", "text": text} for text in ("One. ", "two thr", "ee")]
    body, _ = rewriter.rewrite(chat_call(parts), verdict(2))
    kinds = [part["type"] for part in messages_of(body)[0]["content"]]
    assert kinds == ["text", "prompt_embeds", "prompt_embeds"]


def test_of_a_long_text_the_passages_of_the_verdict_are_corrupted(
    rewriter: Rewriter, embedder: PromptEmbedder
) -> None:
    call, text = chat_call("one. a secret. two."), "one. a secret. two."
    narrowed = replace(verdict(0), passages={0: ((5, 14),)})

    body, _ = rewriter.rewrite(call, narrowed)

    ((part,),) = (message["content"] for message in messages_of(body))
    expected = embedder.embed_prompt(
        text, "set", NOISE, add_special_tokens=False, corrupted=[(5, 14)]
    )
    assert part["data"] == expected.data != embedder.embed_text(text, "set", NOISE).data

    body, _ = rewriter.rewrite(completion_call(text), narrowed)
    completed = embedder.embed_prompt(text, "set", NOISE, corrupted=[(5, 14)])
    assert body["prompt_embeds"] == completed.data


def test_a_flagged_setting_is_hidden_and_the_prompt_left_alone(rewriter: Rewriter) -> None:
    body: dict[str, Any] = {"model": "demo", "messages": [{"role": "user", "content": "hello"}]}
    call = chat.parse({**body, "stop": ["a secret", "\n"]}, FieldRules(), None)
    changed, tokens = rewriter.rewrite(call, verdict(1))
    assert changed == {**body, "stop": ["\n"]}
    assert tokens == 0


def test_names_alone_are_corrupted_where_that_is_enough(embedder: PromptEmbedder) -> None:
    rewriter = Rewriter(
        {"demo": embedder},
        NOISE,
        key=b"k",
        names_in=lambda _, text: "Ann" in text or "anna" in text,
        names_only=True,
    )

    def changed(*contents: str, flagged: tuple[int, ...] = (0,)) -> list[str]:
        """What is left of each text in the model's own rows; one that is not embedded is all."""
        body, _ = rewriter.rewrite(chat_call(*contents), verdict(*flagged))
        return [
            left(m["content"], text) for m, text in zip(messages_of(body), contents, strict=True)
        ]

    def left(content: Any, text: str) -> str:
        if isinstance(content, str):
            return content
        sent = load(content[0]["data"]).float().numpy()
        ids = make_tokenizer().encode(text, add_special_tokens=False).ids
        own = embedder.table.rows(np.array(ids)).astype(np.float32)
        kept = (sent == own).all(axis=1)
        return "".join(letter if same else "_" for letter, same in zip(text, kept, strict=True))

    assert changed("a Ann?") == ["a ___?"]
    assert changed("a B.", "a Ann?", flagged=(1,)) == ["a B.", "a ___?"]
    assert changed("a B?") == ["____"], "flagged for no name"
    assert changed("a Ann i", "a", flagged=(0,)) == ["a ___ i", "_"], "nothing else could be a name"


def test_what_pools_is_said_in_other_words(rewriter: Rewriter) -> None:
    call = embeddings.parse({"model": "pool", "input": ["hello", "the secret"]}, FieldRules(), None)
    assert rewriter.can_rewrite(call)
    changed, tokens = rewriter.rewrite(call, verdict(1))
    texts = changed["input"]
    assert isinstance(texts, list)
    hello, secret = texts
    assert (hello, tokens) == ("hello", 0)
    assert secret != "the secret"
    assert len(secret) == len("the secret")


def test_flagged_prompt_is_embedded_with_its_first_token_intact(
    rewriter: Rewriter, embedder: PromptEmbedder
) -> None:
    body, tokens = rewriter.rewrite(completion_call("a secret"), verdict(0))

    expected = embedder.embed_prompt("a secret", "set", NOISE)
    assert body == {"model": "demo", "n": 2, "prompt_embeds": expected.data}
    assert tokens == expected.tokens


def test_unflagged_prompts_of_a_list_are_embedded_unchanged(
    rewriter: Rewriter, embedder: PromptEmbedder
) -> None:
    body, tokens = rewriter.rewrite(completion_call(["hello", "a secret"]), verdict(1))

    clean = embedder.embed_prompt("hello", "", None)
    corrupted = embedder.embed_prompt("a secret", "set", NOISE)
    assert body["prompt_embeds"] == [clean.data, corrupted.data]
    assert tokens == corrupted.tokens


def test_token_prompt_gets_no_second_first_token(
    rewriter: Rewriter, embedder: PromptEmbedder
) -> None:
    body, _ = rewriter.rewrite(completion_call([0, 1, 2]), verdict(0))

    expected = embedder.embed_prompt("a b c", "set", NOISE, add_special_tokens=False)
    assert body["prompt_embeds"] == expected.data


def test_forget_set_seeds_the_noise(rewriter: Rewriter) -> None:
    bodies = [
        rewriter.rewrite(chat_call("a secret"), verdict(0, detector=name))[0] for name in "xxy"
    ]

    assert bodies[0] == bodies[1] != bodies[2]


def test_text_beyond_the_context_is_refused(rewriter: Rewriter) -> None:
    with pytest.raises(RequestError) as caught:
        rewriter.rewrite(chat_call("word " * 500), verdict(0))

    assert caught.value.code == "context_length_exceeded"


def test_with_embeds_all_the_others_are_the_models_own_rows(embedder: PromptEmbedder) -> None:
    rewriter = Rewriter({"demo": embedder}, NOISE, key=b"k", embeds_all=True)
    call = chat_call("hello there", "", [{"type": "text", "text": "a secret"}])
    flagged = next(at for at, item in enumerate(call.items) if item.text == "a secret")

    body, tokens = rewriter.rewrite(call, verdict(flagged))

    first, empty, last = messages_of(body)
    data = embedder.embed_text("hello there", "", None).data
    assert first["content"] == [{"type": "prompt_embeds", "data": data}]
    assert empty["content"] == "", "nothing to embed"
    data = embedder.embed_text("a secret", "set", NOISE).data
    assert last["content"] == [{"type": "prompt_embeds", "data": data}]
    assert tokens == embedder.count_tokens("a secret")
    assert rewriter.embeds_unflagged(call)
    assert not rewriter.embeds_unflagged(chat_call(""))
    assert not Rewriter({}, NOISE, key=b"k", embeds_all=True).embeds_unflagged(call), (
        "no such model"
    )
    assert not Rewriter({"demo": embedder}, NOISE, key=b"k").embeds_unflagged(call)


def settings_for(folder: Path, **corruption: Any) -> Settings:
    return Settings.model_validate(
        {
            "upstream": {"url": "http://x"},
            "models": {"demo": {"path": str(folder)}},
            "corruption": corruption,
        }
    )


def test_open_needs_the_secret(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECOGUARD_CORRUPTION_KEY", raising=False)
    with pytest.raises(ConfigError, match="ECOGUARD_CORRUPTION_KEY"):
        open_rewriter(settings_for(folder))


@pytest.mark.parametrize(
    ("corruption", "word"),
    [({"dims": 100_000}, "dims"), ({"strength": 1}, "strength")],
)
def test_open_refuses_a_corruption_that_does_not_fit(
    folder: Path, monkeypatch: pytest.MonkeyPatch, corruption: dict[str, Any], word: str
) -> None:
    monkeypatch.setenv("ECOGUARD_CORRUPTION_KEY", "k")
    with pytest.raises(ConfigError, match=word):
        open_rewriter(settings_for(folder, **corruption))


def test_open_names_a_folder_without_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECOGUARD_CORRUPTION_KEY", "k")
    with pytest.raises(ArtifactError, match=str(tmp_path)):
        open_rewriter(settings_for(tmp_path))
