"""Sampling defaults of a model's folder, as vLLM reads them."""

import json
from pathlib import Path

import pytest

from guard.gateway.models.generation_config import read_sampling_defaults
from guard.settings import Model
from guard.terms.errors import ArtifactError
from guard.terms.sampling_defaults import VLLM_DEFAULTS, SamplingDefaults


def found(folder: Path | None) -> SamplingDefaults:
    return read_sampling_defaults({"demo": Model(path=folder)})["demo"]


def test_a_folder_that_says_nothing_samples_as_vllm_does(tmp_path: Path) -> None:
    assert found(None) == found(tmp_path) == VLLM_DEFAULTS
    (tmp_path / "generation_config.json").write_text('{"do_sample": false, "top_p": null}')
    assert found(tmp_path) == VLLM_DEFAULTS


def test_a_folders_own_defaults(tmp_path: Path) -> None:
    told = {"temperature": 0.6, "top_p": 0.95, "max_new_tokens": 2048, "top_k": 20}
    (tmp_path / "generation_config.json").write_text(json.dumps(told))
    assert found(tmp_path) == SamplingDefaults(temperature=0.6, top_p=0.95, max_tokens=2048)


@pytest.mark.parametrize("text", ["{", "[]", '{"top_p": "much"}', '{"max_new_tokens": []}'])
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "generation_config.json").write_text(text)
    with pytest.raises(ArtifactError, match="generation_config"):
        found(tmp_path)
