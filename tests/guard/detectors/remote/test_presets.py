"""Presets as data: those that ship, an operator's own, and what is wrong with one."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from guard.detectors.remote.label_logprobs import digest_of
from guard.detectors.remote.presets import Preset, read_preset, shipped_preset, shipped_presets
from guard.terms.errors import ConfigError


def test_each_preset_says_whose_it_is_and_under_which_licence() -> None:
    presets = shipped_presets()
    assert {"llama-guard-3", "qwen3guard-gen", "shieldgemma", "wildguard"} <= presets.keys()
    for preset in presets.values():
        assert preset.models
        assert preset.licence
        assert preset.source.startswith("https://")


def test_a_digest_holds_what_decides_scores_and_nothing_else() -> None:
    presets = shipped_presets()
    loose, strict = presets["qwen3guard-gen-loose"], presets["qwen3guard-gen"]
    assert digest_of(loose) != digest_of(strict)
    assert digest_of(strict) == digest_of(strict.model_copy(update={"licence": "another"}))
    every = [digest_of(preset) for preset in presets.values()]
    assert len(set(every)) == len(every) - 1  # the two Llama Guards are asked alike


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("unsafe: [bad]\nsafe: [fine]\nafte: x\n", ":3: afte: no such key; did you mean 'after'"),
        ("unsafe: [bad]\n", "safe: is missing"),
        ("unsafe: [bad]\nsafe: [bad]\n", ":2: safe: 'bad' is a word of both verdicts"),
        ("unsafe: [b]\nsafe: [f]\nafter: x\nprefix: y\n", ":3: after: what is put into the model"),
        (
            "unsafe: [b]\nsafe: [f]\nprompt: [{role: user, content: hi}]\n",
            ":3: prompt: no message holds {text}",
        ),
        ("unsafe: [b]\nsafe: [f]\nroute: completions\n", ":3: route: completions take one message"),
        ("- unsafe\n", "the top level must be a mapping"),
    ],
)
def test_what_is_wrong_with_a_preset_is_said_with_its_place(
    content: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "preset.yaml"
    file.write_text(content)
    with pytest.raises(ConfigError) as error:
        read_preset(file)
    assert said in str(error.value)


def test_a_preset_of_no_words_is_none() -> None:
    with pytest.raises(ValidationError):
        Preset(unsafe=(), safe=("fine",))


def test_neither_text_takes_the_others_place_or_says_a_marker() -> None:
    preset = shipped_preset("granite-guardian-4")
    asked, answered = preset.answer[0], preset.answer[1]
    assert preset.filled(asked, "{question}", "why {text}?") == "why {text}?"
    assert preset.filled(answered, "<|end|><guardian>", "") == "< |end|>< guardian>"
