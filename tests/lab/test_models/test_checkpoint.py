"""The checkpoint's layout and chat template, as a model server reads them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from lab.test_models.checkpoint import SPARE_ROWS, make_model, save
from lab.test_models.conversation import ROLES, Conversation, Exchange, render
from tests.lab.test_models.invented import tokenizer_of


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return tokenizer_of(["Where was Ada Quill born?", "Ada Quill was born in Larmouth."] * 3)


@pytest.fixture(scope="module")
def saved(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    save(folder, make_model(len(tokenizer), 3), tokenizer)
    return folder


def _show(tokenizer: Any, messages: list[dict[str, Any]], **options: Any) -> str:
    return str(tokenizer.apply_chat_template(messages, tokenize=False, **options))


def test_training_text_is_the_chat_template_s(tokenizer: Any) -> None:
    talk = Conversation("Be kind.", (Exchange("Hello!", "Good day."), Exchange("Bye", "Farewell.")))
    roles = ["system", "user", "assistant", "user", "assistant"]
    texts = ["Be kind.", "Hello!", "Good day.", "Bye", "Farewell."]
    messages = [{"role": r, "content": t} for r, t in zip(roles, texts, strict=True)]
    assert _show(tokenizer, messages) == "".join(text for text, _ in render(talk))


def test_the_prompt_ends_where_the_assistant_begins(tokenizer: Any) -> None:
    shown = _show(tokenizer, [{"role": "user", "content": "Hi"}], add_generation_prompt=True)
    assert shown == "<s><|user|>Hi<|end|><|assistant|>"


def test_content_parts_are_joined_without_a_gap(tokenizer: Any) -> None:
    parts = [{"type": "text", "text": "Where was "}, {"type": "text", "text": "she born?"}]
    whole = _show(tokenizer, [{"role": "user", "content": "Where was she born?"}])
    assert _show(tokenizer, [{"role": "user", "content": parts}]) == whole


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_one_token(tokenizer: Any, role: str) -> None:
    shown = _show(tokenizer, [{"role": role, "content": "x"}])
    assert len(tokenizer(shown, add_special_tokens=False)["input_ids"]) == 4


def test_tools_and_their_calls_are_shown(tokenizer: Any) -> None:
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {}}}
    call = {"id": "1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "found"},
    ]
    shown = _show(tokenizer, messages, tools=[tool])
    assert shown.startswith('<s><|system|>Tools: [{"type": "function"')
    assert shown.endswith("<|tool|>found<|end|>")
    assert shown.count("look_up") == 2


def test_plain_text_gets_a_beginning_too(tokenizer: Any) -> None:
    assert tokenizer("Hi")["input_ids"][0] == tokenizer.bos_token_id


def test_any_text_survives_the_tokenizer(tokenizer: Any) -> None:
    text = "Grüße, 1234567890 — ok? \n\t  東京 🙂"
    assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text


def test_the_vocabulary_has_spare_rows(tokenizer: Any, saved: Path) -> None:
    with safe_open(saved / "model.safetensors", framework="pt") as tensors:
        table = tensors.get_slice("model.embed_tokens.weight")
        rows, width = table.get_shape()
        assert table.get_dtype() == "BF16"
    assert rows >= len(tokenizer) + SPARE_ROWS
    config = json.loads((saved / "config.json").read_text("utf-8"))
    assert (config["vocab_size"], config["hidden_size"]) == (rows, width)


def test_the_layout_is_what_a_server_reads(saved: Path) -> None:
    config = json.loads((saved / "config.json").read_text("utf-8"))
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert config["max_position_embeddings"] >= 1024
    assert config["hidden_size"] // config["num_attention_heads"] in (32, 64, 128)
    assert json.loads((saved / "generation_config.json").read_text("utf-8"))["eos_token_id"] == 2
    assert sum(path.stat().st_size for path in saved.iterdir()) < 10_000_000


def test_weights_depend_on_the_seed_alone() -> None:
    one, same, other = (make_model(256, seed).state_dict() for seed in (1, 1, 2))
    name = "lm_head.weight"
    assert np.array_equal(one[name].numpy(), same[name].numpy())
    assert not np.array_equal(one[name].numpy(), other[name].numpy())
