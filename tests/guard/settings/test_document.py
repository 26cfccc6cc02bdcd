"""YAML as it is read: lines of keys, and repeated keys refused."""

import string
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from guard.settings.document import Document
from guard.terms.errors import ConfigError

FILE = Path("guard.yaml")
WORDS = st.text(string.ascii_letters + string.digits + " _-", min_size=1, max_size=6)
MAPPINGS = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


def parsed(text: str) -> Document:
    return Document(FILE, text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3\n", "guard.yaml:3: a: this key stands in line 1 already"),
        ("a:\n  b: 1\n  'b': 2\n", "guard.yaml:3: a.b: this key stands in line 2 already"),
        ("- {a: 1, a: 1}\n", "guard.yaml:1: 0.a: this key stands in line 1 already"),
        ("1: a\n0x1: b\n", "guard.yaml:2: 0x1: this key stands in line 1 already"),
        ("x: &x {a: 1, a: 2}\ny: *x\n", "guard.yaml:1: x.a: this key stands in line 1 already"),
        ("a: [\n", "guard.yaml:2: not YAML: "),
        ("a: !python/name:os.system x\n", "guard.yaml:1: not YAML: "),
        ("? [1, 2]\n: x\n? {a: 1}\n: y\n", "guard.yaml:1: not YAML: "),
        ("[" * 5000 + "]" * 5000, "guard.yaml: nested too deeply"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(text)

    assert str(caught.value).startswith(told)


def test_all_repeated_keys_are_named() -> None:
    with pytest.raises(ConfigError) as caught:
        parsed("a: {x: 1, x: 2}\nb: 1\nb: 2\n")

    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    "text",
    [
        "1: a\n'1': b\n",
        "a: {x: 1}\nb: {x: 1}\n",
        "base: &base {x: 1}\nown: {<<: *base, x: 2}\n",
        "[{name: a}, {name: a}]\n",
        "",
    ],
)
def test_what_only_looks_alike_is_no_repetition(text: str) -> None:
    assert parsed(text).content == yaml.safe_load(text)


@given(MAPPINGS)
def test_what_is_written_is_read(content: object) -> None:
    assert parsed(yaml.safe_dump(content)).content == content


@given(st.dictionaries(WORDS, MAPPINGS, min_size=1, max_size=5), st.data())
def test_a_key_written_twice_is_always_found(
    content: dict[str, object], data: st.DataObject
) -> None:
    again = data.draw(st.sampled_from(sorted(content)))
    text = yaml.safe_dump(content, default_flow_style=False) + yaml.safe_dump({again: 1})

    with pytest.raises(ConfigError, match="this key stands in line"):
        parsed(text)


TEXT = """\
upstream:
  url: x
policies:
- name: first
  action: block
- name: Not A Name
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("upstream", "url"), "guard.yaml:2"),
        (("policies", 0, "action"), "guard.yaml:5"),
        (("policies", 1), "guard.yaml:6"),
        (("upstream", "missing"), "guard.yaml:1"),
        (("policies", 7), "guard.yaml:3"),
        (("elsewhere",), "guard.yaml"),
        ((), "guard.yaml"),
    ],
)
def test_a_place_is_the_line_of_the_last_step_there_is(
    path: tuple[str | int, ...], place: str
) -> None:
    assert parsed(TEXT).place(path) == place


def test_items_go_by_their_names_where_these_are_names() -> None:
    document = parsed(TEXT)

    assert document.named(("policies", 0, "action")) == ("policies", "first", "action")
    assert document.named(("policies", 1)) == ("policies", 1)
    assert document.named(("policies", 9, "x")) == ("policies", 9, "x")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9\n")

    with pytest.raises(ConfigError, match=r"gone\.yaml: No such file"):
        Document.read(tmp_path / "gone.yaml")
    with pytest.raises(ConfigError, match=r"latin\.yaml: not UTF-8"):
        Document.read(tmp_path / "latin.yaml")
    with pytest.raises(ConfigError, match=r"guard\.yaml: the top level must be a mapping"):
        parsed("- a").mapping()
