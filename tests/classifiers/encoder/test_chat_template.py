"""What stands around a user's turn, from a model's folder."""

from pathlib import Path

import orjson
import pytest

from classifiers.encoder.chat_template import Frame, read_model_tokenizer
from guard.terms.errors import ConfigError
from tests.pooling import byte_tokenizer

TEMPLATE = (
    "{% for m in messages %}<|user|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def write_model(folder: Path, template: str | None) -> Path:
    folder.mkdir()
    byte_tokenizer().save(str(folder / "tokenizer.json"))
    config: dict[str, object] = {"tokenizer_class": "PreTrainedTokenizerFast"}
    if template is not None:
        config["chat_template"] = template
    (folder / "tokenizer_config.json").write_bytes(orjson.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("template", "frame"),
    [
        (TEMPLATE, Frame("<|user|>", "<|end|><|assistant|>", False)),
        (None, Frame("", "", True)),
        ("{{ messages[0].content | trim }}!", Frame("", "!", False)),
        ("You are kind. {{ messages[0].content }}", Frame("You are kind. ", "", False)),
    ],
)
def test_frames(tmp_path: Path, template: str | None, frame: Frame) -> None:
    found = read_model_tokenizer(write_model(tmp_path / "m", template))
    assert found.frame == frame
    assert found.content == (tmp_path / "m" / "tokenizer.json").read_bytes()


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("no turn", "does not show a user's turn once"),
        ("{{ messages[0].content }}{{ messages[0].content }}", "does not show a user's turn once"),
        ("{{ messages[0].content | urlencode }}", "does not show a user's turn once"),
        ("{{ raise_exception('never') }}", "chat_template: TemplateError: never"),
        ("{% for", "chat_template: TemplateSyntaxError: "),
    ],
)
def test_templates_that_cannot_be_cut_are_named(
    tmp_path: Path, template: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        read_model_tokenizer(write_model(tmp_path / "m", template))
    assert str(raised.value).startswith(f"{tmp_path / 'm'}: ")


def test_unreadable_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tokenizer.json: No such file"):
        read_model_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ConfigError, match="not a readable tokenizer"):
        read_model_tokenizer(tmp_path)
