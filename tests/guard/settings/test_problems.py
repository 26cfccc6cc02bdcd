"""What is wrong, in plain words: place, key, and what was probably meant."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from guard.settings import Settings, schema_text
from guard.settings.document import Document
from guard.settings.patterns import IN_WORDS
from guard.settings.problems import Problem, explain, problems_of

JARGON = ("Input", "Field required", "Value error", "valid ", "instance", "String should", "[key]")


def lines(text: str) -> list[str]:
    document = Document(Path("g"), text)
    try:
        Settings.model_validate(document.content)
    except ValidationError as error:
        return explain(error, Settings, document).splitlines()
    return []


ASKING = "upstream: {url: 'http://x'}\ndetectors: {a: {kind: phrases, phrases: [x]}}\n"
CASES = [
    ("upstream: {url: 'http://x', conect_s: 1}", "upstream.conect_s: no such key; did you mean"),
    ("upstream: {url: 'http://x', zzzzz: 1}", "upstream.zzzzz: no such key"),
    ("upstream: {url: [1]}", "upstream.url: must be text"),
    ("upstream: {connect_s: soon}", "upstream.connect_s: must be a number"),
    ("upstream: {connect_s: .inf}", "upstream.connect_s: must be at most 3600"),
    ("upstream: {connections: 1.5}", "upstream.connections: must be a whole number"),
    ("upstream: {urls: x}", "upstream.urls: must be a list"),
    ("upstream: [x]", "upstream: must be a mapping of keys to values"),
    ("models: x", "models: must be a mapping of keys to values"),
    ("models: {a: {path: 3}}", "models.a.path: must be the path of a file or folder"),
    (
        "detectors: {a: {kind: phrases, phrases: []}}",
        "detectors.a.phrases: needs 1 or more entries",
    ),
    ("detectors: {A: {kind: phrases, phrases: [x]}}", "detectors.A: must be a name: small letters"),
    (
        "detectors: {a: {kind: phrase}}",
        "kind must be one of artifact, phrases, forget-requests",
    ),
    ("detectors: {a: {path: x}}", "detectors.a: kind must be one of artifact, phrases"),
    (
        ASKING
        + "policies: [{name: p, detector: a, action: block, ask_if: {policy: q, score: .5}}]",
        "policies.p.ask_if.policy: no policy 'q'",
    ),
    (
        ASKING
        + "policies: [{name: p, detector: a, action: block, ask_if: {policy: p, score: .5}}]",
        "policies.p.ask_if.policy: must judge without waiting for another",
    ),
    (
        ASKING + "policies: [{name: p, detector: a, action: block, ask_if: {policy: q, score: .5}},"
        " {name: q, detector: a, action: block, shadow: true}]",
        "policies.p.ask_if.policy: must have the same side, and both or none be in shadow",
    ),
    ("detectors: {a: {kind: remote, api: clasify}}", "detectors.a.api: must be 'classify', "),
    (
        "detectors: {a: {kind: remote, api: classify, url: 'http://x', model: m, classes: [x, y]}}",
        "detectors.a.unsafe: is missing: name the model's classes, and which are bad",
    ),
    (
        "detectors: {a: {kind: remote, api: classify, url: 'http://x', model: m, classes: [x, y],"
        " unsafe: [z]}}",
        "detectors.a.unsafe.0: no class 'z'",
    ),
    (
        "detectors: {a: {kind: remote, api: label-logprobs, url: 'http://x', preset: wildguard}}",
        "detectors.a.model: is missing: the name that the servers know the model by",
    ),
    (
        "detectors: {a: {kind: remote, api: label-logprobs, url: 'http://x', model: m}}",
        "detectors.a.preset: name one of preset, preset_file, or unsafe and safe",
    ),
    (
        "detectors: {a: {kind: remote, api: label-logprobs, url: 'http://x', model: m,"
        " unsafe: [bad]}}",
        "detectors.a.safe: is missing: name the words of both verdicts",
    ),
    (
        "detectors: {a: {kind: remote, api: moderations, url: 'http://x', preset: wildguard}}",
        "detectors.a.preset: has no meaning where api is moderations",
    ),
    (
        "detectors: {a: {kind: remote, api: moderations}}",
        "detectors.a.url: name one server here, or several under urls",
    ),
    (
        "detectors: {a: {kind: remote, api: moderations, url: 'http://x/v1'}}",
        "detectors.a.url: must not end with /v1",
    ),
    (
        "detectors: {a: {kind: artifact, pth: x}}",
        "detectors.a.pth: no such key; did you mean 'path'?",
    ),
    ("detectors: {a: {kind: artifact}}", "detectors.a.path: is missing"),
    (
        "policies: [{name: a, action: blok}]",
        "policies.a.action: must be 'allow', 'flag', 'redact', 'corrupt'",
    ),
    ("policies: [{name: a, action: blok}]", "; did you mean 'block'?"),
    (
        "policies: [{name: a, detector: b, action: block, threshold: 2}]",
        "must be at most 1, or must",
    ),
    ("policies: [{shadow: maybe}]", "policies.0.shadow: must be true or false"),
    ("keys: [{name: a, sha256: sk-hunter2}]", "keys.a.sha256: must be the SHA-256 of the key"),
    ("redis: {url: 'redis://:hunter2@x'}", "redis.url: must be redis://HOST:PORT/NUMBER"),
]


@pytest.mark.parametrize(("text", "told"), CASES)
def test_problems_are_said_plainly(text: str, told: str) -> None:
    found = "\n".join(lines(text + "\n"))

    assert told in found
    assert not [word for word in JARGON if word in found]
    assert "hunter2" not in found


def test_problems_between_sections_come_all_at_once_and_show_both_places() -> None:
    found = lines(
        "upstream: {url: 'http://x'}\n"
        "detectors: {words: {kind: phrases, phrases: [x]}}\n"
        "policies:\n"
        "- {name: a, detector: word, action: block, when: {keys: [shop]}}\n"
        "- {name: a, detector: words, action: corrupt}\n"
        "keys:\n"
        "- {name: shopp, sha256: " + "ab" * 32 + "}\n"
        "check: {enabled: true}\n"
    )

    assert found == [
        "g:5: policies.a.name: the name 'a' is used twice (see g:4)",
        "g:4: policies.a.detector: no detector 'word'; did you mean 'words'?",
        "g:4: policies.a.when.keys.0: no key 'shop'; did you mean 'shopp'?",
        "g: models: is missing: a corrupts: name its folder",
        "g:6: keys: check.enabled needs a key with the scope 'check' (see g:8)",
    ]


def test_every_pattern_of_the_configuration_has_words() -> None:
    assert set(_values(json.loads(schema_text()), "pattern")) == set(IN_WORDS)


def _values(node: Any, key: str) -> Iterator[str]:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    if isinstance(node, dict) and isinstance(node.get(key), str):
        yield node[key]
    for child in children:
        yield from _values(child, key)


@pytest.mark.parametrize("section", [name for name in Settings.model_fields if name != "keys_file"])
@pytest.mark.parametrize("value", ["x", [[]], [{}], {"a": []}, 3, True])
def test_whatever_stands_there_is_told_without_jargon(section: str, value: Any) -> None:
    try:
        Settings.model_validate({"upstream": {"url": "http://x"}, section: value})
    except ValidationError as error:
        for problem in problems_of(error, Settings):
            assert problem.path[:1] == (section,)
            assert not [word for word in JARGON if word in problem.message]


@dataclass
class Inner:
    seed: int = 0


@dataclass
class Outer:
    inner: Inner = field(default_factory=Inner)


def test_dataclasses_are_walked_too() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Outer).validate_python({"inner": {"seed": "x"}})

    assert problems_of(caught.value, Outer) == [
        Problem(("inner", "seed"), "must be a whole number")
    ]
