"""Templates run within bounds, and reach nothing."""

import pytest

from guard.rendering import sandbox
from guard.rendering.sandbox import ChatTemplateError, SandboxedTemplate

LONG = ["x" * 1000] * 20_000


def test_templates_have_what_the_model_server_gives_them() -> None:
    source = (
        "{% generation %}{{ tools | tojson(indent=1) }}{% endgeneration %}"
        "{% for one in tools %}{% if loop.first %}{% continue %}{% endif %}{{ one }}{% endfor %}"
        "{{ strftime_now('%Y') | length }}{{ missing }}"
    )

    assert SandboxedTemplate(source).render({"tools": ["<é>", "b"]}) == '[\n "<é>",\n "b"\n]b4'


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{% for a in long %}{{ a }}{% endfor %}", "too long"),
        ("{% for a in long %}{% for b in long %}{{ b.x }}{% endfor %}{% endfor %}", "too"),
        ("{% for a in range(10 ** 9) %}{% endfor %}", "Range too big"),
        ("{{ raise_exception('not so') }}", "not so"),
        ("{{ messages.append(1) }}", "is unsafe"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ none + 1 }}", "unsupported"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion"),
    ],
)
def test_what_goes_too_far_has_failed(source: str, why: str) -> None:
    with pytest.raises(ChatTemplateError, match=why):
        SandboxedTemplate(source).render({"long": LONG, "messages": []})


def test_a_template_that_shows_nothing_is_stopped_too() -> None:
    source = "{% for a in long %}{% for b in long %}{% set c = b.x %}{% endfor %}{% endfor %}"

    with pytest.raises(ChatTemplateError, match="too"):
        SandboxedTemplate(source).render({"long": LONG})
    assert SandboxedTemplate("{{ 1 }}").render({}) == "1"


def test_the_bounds_leave_room_for_long_conversations() -> None:
    messages = [{"role": "user", "content": "Hello."}] * 2000
    source = "{% for m in messages %}{{ m.role }}{{ m['content'] | trim }}{% endfor %}"

    assert len(SandboxedTemplate(source).render({"messages": messages})) == 20_000
    assert 100 * len(messages) < sandbox.MOST_STEPS
