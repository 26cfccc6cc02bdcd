"""What exports are measured with."""

from classifiers.encoder.drift import drift_between, milliseconds_by_length, sample_prompts
from classifiers.encoder.pooled import PooledEncoder
from guard.encoders.onnx_encoder import OnnxEncoder
from tests.encoders import tiny_artifact, tiny_bert


def test_sample_prompts_are_distinct_and_of_many_lengths() -> None:
    prompts = sample_prompts()
    assert len(set(prompts)) == len(prompts) >= 50
    assert min(map(len, prompts)) < 5
    assert max(map(len, prompts)) > 300


def test_another_model_is_far_away() -> None:
    from transformers import BertModel

    backbone = BertModel.from_pretrained(tiny_bert(), local_files_only=True)
    encoder = OnnxEncoder.load(tiny_artifact())
    texts = ["what is the river", "who was born in the bridge"]
    same = drift_between(encoder, PooledEncoder(backbone, "mean").eval(), texts)
    other = drift_between(encoder, PooledEncoder(backbone, "cls").eval(), texts)
    assert same.largest < 1e-6 < other.mean <= other.largest
    assert same.prompts == 2


def test_only_lengths_that_fit_are_timed() -> None:
    times = milliseconds_by_length(OnnxEncoder.load(tiny_artifact()), repeats=2)
    assert set(times) == {16, 64}
    assert min(times.values()) > 0
