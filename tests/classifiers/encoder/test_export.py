"""Exports: faithful to torch, the same each time, cached, and refused when they drift."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from classifiers.encoder.drift import Drift
from classifiers.encoder.export import check_drift, export_encoder
from guard.artifacts.folder import read
from guard.artifacts.manifest import MANIFEST, REPORT
from guard.encoders.onnx_encoder import MODEL, OnnxEncoder
from guard.terms.errors import ArtifactError, ConfigError
from tests.encoders import tiny_artifact, tiny_bert, write_tiny_bert


def test_report_holds_drift_time_and_sizes() -> None:
    artifact = read(tiny_artifact(), "encoder")
    report = json.loads(artifact.bytes_of(REPORT))
    assert report["cosine_drift"]["largest"] < 1e-6
    assert report["bytes"][MODEL] == len(artifact.bytes_of(MODEL))
    assert set(report["milliseconds_per_prompt"]) == {"16", "64"}
    assert artifact.manifest.recipe["pooling"] == "mean"


def test_no_local_path_is_left_in_the_graph() -> None:
    model = read(tiny_artifact()).bytes_of(MODEL)
    assert b".py" not in model
    assert str(Path.home()).encode() not in model


def test_a_second_export_has_the_same_digest(tmp_path: Path) -> None:
    again = export_encoder(tmp_path / "again", source=tiny_bert(), max_tokens=64)
    assert again.manifest.digest == read(tiny_artifact()).manifest.digest


def test_the_same_recipe_is_not_exported_twice() -> None:
    before = (tiny_artifact() / MANIFEST).stat().st_mtime_ns
    export_encoder(tiny_artifact(), source=tiny_bert(), max_tokens=64)
    assert (tiny_artifact() / MANIFEST).stat().st_mtime_ns == before


def test_int8_with_cls_pooling(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    source = write_tiny_bert(tmp_path / "source", pooling="cls")
    artifact = export_encoder(
        tmp_path / "int8", source=source, precision="int8", max_tokens=64, most_drift=0.2
    )
    assert artifact.manifest.recipe["pooling"] == "cls"
    assert 0 < artifact.manifest.metrics["drift_largest"] < 0.2
    encoder = OnnxEncoder(artifact)
    assert not encoder.batched
    texts = ["what is the river", "who", "tell me about the bridge"]
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    np.testing.assert_array_equal(encoder.encode(texts), alone)


@pytest.mark.parametrize("largest", [0.011, float("nan")])
def test_too_much_drift_is_an_error(tmp_path: Path, largest: float) -> None:
    with pytest.raises(ArtifactError, match=r"model.onnx: drifts .* allowed 0.01"):
        check_drift(tmp_path, Drift(0.0, largest, 3), 0.01)
    check_drift(tmp_path, Drift(0.0, 0.01, 3), 0.01)


def copy_source(folder: Path) -> Path:
    return Path(shutil.copytree(tiny_bert(), folder / "source"))


def test_unusable_sources_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere/config.json: .*No such file"):
        export_encoder(tmp_path / "x", source=tmp_path / "nowhere")
    source = copy_source(tmp_path)
    with pytest.raises(ConfigError, match=r"max_tokens: expected 8 to 128 .* not 256"):
        export_encoder(tmp_path / "x", source=source)
    (source / "1_Pooling" / "config.json").write_text('{"pooling_mode_max_tokens": true}')
    with pytest.raises(ConfigError, match=r"pooling \['pooling_mode_max_tokens'\] is not supp"):
        export_encoder(tmp_path / "x", source=source, max_tokens=64)
    (source / "config.json").write_text("{")
    with pytest.raises(ConfigError, match=r"config.json: "):
        export_encoder(tmp_path / "x", source=source, max_tokens=64)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


def test_a_layer_is_torchs_hidden_state(tmp_path: Path) -> None:
    """Pooled as the model's output is, of unit length."""
    import torch
    from transformers import BertModel

    artifact = export_encoder(tmp_path / "e", source=tiny_bert(), max_tokens=64, layer=1)
    assert artifact.manifest.recipe["layer"] == 1
    assert artifact.manifest.digest != read(tiny_artifact()).manifest.digest
    encoder = OnnxEncoder(artifact)
    model = BertModel.from_pretrained(tiny_bert(), local_files_only=True)
    texts = ["what is the river", "who", "tell me about the bridge of the river"]
    for text, row in zip(texts, encoder.encode(texts), strict=True):
        with torch.inference_mode():
            ids = torch.tensor([encoder.token_ids(text)])
            states = model(ids, output_hidden_states=True).hidden_states[1][0]
        expected = states.mean(0)
        np.testing.assert_allclose(row, (expected / expected.norm()).numpy(), atol=1e-5)


def test_a_layer_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"layer: 3: .* has layers 0 to 2"):
        export_encoder(tmp_path / "e", source=tiny_bert(), max_tokens=64, layer=3)


def test_without_a_layer_the_recipe_is_what_it_always_was() -> None:
    """Another key would change the digest that deployed detectors are pinned to."""
    recipe = read(tiny_artifact()).manifest.recipe
    assert set(recipe) == {
        *("source", "pooling", "precision", "max_tokens", "width", "batched", "revision"),
    }
