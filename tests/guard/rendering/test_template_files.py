"""Where a model's folder keeps its templates and special tokens."""

import json
from pathlib import Path

import pytest

from guard.rendering.template_files import TemplateFiles, read_template_files
from guard.terms.errors import ArtifactError

NAMED = [{"name": "default", "template": "a"}, {"name": "tool_use", "template": "b"}, {"x": 1}]


@pytest.mark.parametrize(
    ("config", "file", "expected"),
    [
        (None, None, TemplateFiles()),
        ({"chat_template": "a"}, None, TemplateFiles({"default": "a"})),
        ({"chat_template": "a"}, "c", TemplateFiles({"default": "c"})),
        ({"chat_template": NAMED}, None, TemplateFiles({"default": "a", "tool_use": "b"})),
        (
            {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "pad_token": None},
            None,
            TemplateFiles({}, {"bos_token": "<s>", "eos_token": "</s>"}),
        ),
        ([], None, TemplateFiles()),
    ],
)
def test_they_are_read_as_the_model_server_reads_them(
    tmp_path: Path, config: object, file: str | None, expected: TemplateFiles
) -> None:
    if config is not None:
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    if file is not None:
        (tmp_path / "chat_template.jinja").write_text(file)

    assert read_template_files(tmp_path) == expected


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text("{")

    with pytest.raises(ArtifactError, match=r"tokenizer_config\.json: not readable"):
        read_template_files(tmp_path)
