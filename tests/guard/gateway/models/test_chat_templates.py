"""The switches that a model's own chat template reads, and nothing else of it."""

import json
from pathlib import Path

import pytest

from guard.gateway.models.chat_templates import read_switches, read_templates, switches_of
from guard.settings import Model
from guard.terms.errors import ArtifactError

# The structure of templates in use, as far as their variables go; the words are ours.
THINKING = """
{%- set space = namespace(last=0) %}
{%- for message in messages %}
  {%- if message.role == "user" %}{%- set space.last = loop.index0 %}{%- endif %}
  {{- bos_token + message.role + ": " + message.content }}
{%- endfor %}
{%- if add_generation_prompt %}assistant:
  {%- if enable_thinking is defined and enable_thinking is false %}no thoughts{%- endif %}
{%- endif %}
"""
LEVELS = """
{%- if not reasoning_effort is defined %}{%- set reasoning_effort = "medium" %}{%- endif %}
{%- if not date_string is defined %}{%- set date_string = strftime_now("%d") %}{%- endif %}
{%- for tool in tools or builtin_tools %}{% if loop.first %}{% continue %}{% endif %}{%- endfor %}
{% generation %}{{ messages[0].content | tojson }}{%- endgeneration -%}
Effort: {{ reasoning_effort }}{% if preserve_thinking %}{{ range(3) }}{% endif %}
"""


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (THINKING, {"enable_thinking"}),
        (LEVELS, {"reasoning_effort", "preserve_thinking"}),
        ("{{ messages }}", set()),
        ("{% if", set()),
    ],
)
def test_switches_are_the_variables_that_nobody_else_sets(
    template: str, expected: set[str]
) -> None:
    assert switches_of(template) == expected


def test_the_template_stands_in_a_file_of_its_own_or_in_the_tokenizers(tmp_path: Path) -> None:
    for name in ("own", "inside", "both", "none"):
        (tmp_path / name).mkdir()
    for name in ("own", "both"):
        (tmp_path / name / "chat_template.jinja").write_text("{{ a }}")
    for name in ("inside", "both"):
        (tmp_path / name / "tokenizer_config.json").write_text(
            json.dumps({"chat_template": "{{ b }}"})
        )
    models = {name: Model(path=tmp_path / name) for name in ("own", "inside", "both", "none")}

    found = read_switches({**models, "elsewhere": Model()})

    assert found == {
        "own": {"a"},
        "inside": {"b"},
        "both": {"a"},
        "none": set(),
        "elsewhere": set(),
    }


def test_the_operators_list_comes_first(tmp_path: Path) -> None:
    (tmp_path / "chat_template.jinja").write_text("{{ a }}")
    listed = Model(path=tmp_path, template_switches=("thinking",))

    assert read_switches({"demo": listed}) == {"demo": {"thinking"}}
    assert read_switches({"demo": Model(path=tmp_path, template_switches=())}) == {"demo": set()}


def test_a_broken_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text("{")
    with pytest.raises(ArtifactError, match="tokenizer_config"):
        read_switches({"demo": Model(path=tmp_path)})


def test_each_model_with_a_template_is_rendered_by_its_own(tmp_path: Path) -> None:
    for name, template in (("one", "{{ messages }}"), ("broken", "{% if"), ("none", "")):
        (tmp_path / name).mkdir()
        if template:
            (tmp_path / name / "chat_template.jinja").write_text(template)
    models = {name: Model(path=tmp_path / name) for name in ("one", "broken", "none")}

    found = read_templates({**models, "elsewhere": Model()})

    assert set(found) == {"one"}
    assert found["one"].files.templates == {"default": "{{ messages }}"}
