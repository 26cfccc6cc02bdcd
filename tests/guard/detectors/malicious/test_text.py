"""The self-contained classifier: mixing, batching, windows, and artifacts that cannot be one."""

from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from numpy.typing import NDArray

from classifiers.encoder.export import export_encoder
from classifiers.encoder.recipe import Precision
from classifiers.malicious.fine_tuning.artifact import (
    HeldOutFacts,
    TextModel,
    most_tokens,
    write_text_model,
)
from classifiers.malicious.fine_tuning.tower import Tower, load_tower
from guard.artifacts.folder import WEIGHTS, Artifact, read, write
from guard.detectors.calibration import Calibration
from guard.detectors.kinds import load_detector
from guard.detectors.malicious.lexical import LexicalTable
from guard.detectors.malicious.ngrams import ngram_indices
from guard.detectors.malicious.text import (
    FEATURES,
    MIXING,
    MOST_MARGIN,
    TABLE,
    MaliciousTextClassifier,
)
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.terms.detector import WINDOWS
from guard.terms.errors import ArtifactError
from guard.terms.thresholds import Thresholds
from tests.encoders import tiny_bert

TEXTS = ["who was born", "tell me about the river", "write", "what is the bridge " * 6]
BUCKETS = 1 << 8


@cache
def tower() -> Tower:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(3)
        made = load_tower(tiny_bert(), 1)
        torch.nn.init.normal_(made.head.weight)
        torch.nn.init.normal_(made.anchor.weight)
    return made.eval()


@cache
def artifact(precision: Precision = "fp32") -> Artifact:
    table = np.linspace(-1, 1, BUCKETS, dtype=np.float32)
    model = TextModel(tower(), table, np.array([0.5, 2.0, -0.25], np.float32))
    calibration = Calibration([0.1, 0.2], [0.9])
    folder = Path(mkdtemp(prefix="ecoguard-test-")) / precision
    measured = HeldOutFacts(Thresholds.constant(0.75), calibration)
    return write_text_model(
        folder, model, measured, source=tiny_bert(), precision=precision, name="tiny"
    )


def altered(folder: Path, **tensors: NDArray[np.generic] | None) -> Artifact:
    """The artifact with tensors replaced (dots written as double underscores) or taken out."""
    plain = artifact()
    kept = plain.tensors()
    for name, tensor in tensors.items():
        kept.pop(name.replace("__", "."))
        if tensor is not None:
            kept[name.replace("__", ".")] = tensor
    files = {n: c for n, c in plain.contents.items() if n in ("model.onnx", "tokenizer.json")}
    return write(folder, plain.manifest.model_copy(update={"files": {}}), tensors=kept, files=files)


def logits_in_torch(texts: list[str]) -> NDArray[np.float32]:
    import torch

    from classifiers.malicious.fine_tuning.training import tokenize

    rows = []
    for ids in tokenize(texts, tiny_bert(), 128):
        with torch.inference_mode():
            rows.append(float(tower()(torch.tensor([ids]), torch.ones(1, len(ids)))[0, 0]))
    return np.array(rows, dtype=np.float32)


def test_score_is_the_logistic_of_the_mixed_logits() -> None:
    detector = MaliciousTextClassifier.from_artifact(artifact())
    table = np.linspace(-1, 1, BUCKETS, dtype=np.float32)
    lexical = []
    for text in TEXTS:
        indices = ngram_indices(text, BUCKETS)
        lexical.append(table[indices].sum() / np.sqrt(len(indices)))
    expected = 0.5 * logits_in_torch(TEXTS) + 2.0 * np.array(lexical) - 0.25
    np.testing.assert_allclose(detector.logits(TEXTS), expected, atol=1e-4)
    np.testing.assert_allclose(detector.score(TEXTS), 1 / (1 + np.exp(-expected)), atol=1e-4)


def test_neighbours_and_their_order_change_no_score() -> None:
    detector = MaliciousTextClassifier.from_artifact(artifact())
    alone = np.concatenate([detector.score([text]) for text in TEXTS])
    np.testing.assert_allclose(detector.score(TEXTS), alone, atol=1e-5)
    np.testing.assert_allclose(detector.score(TEXTS[::-1])[::-1], alone, atol=1e-5)
    assert detector.score([]).shape == (0,)


def test_it_is_loaded_by_its_kind_and_needs_no_encoder() -> None:
    detector = load_detector(artifact().folder, None)
    assert isinstance(detector, MaliciousTextClassifier)
    assert (detector.encoder, detector.threshold) == (None, 0.75)
    assert detector.calibration is not None
    assert detector.calibration.p_benign(0.15) == pytest.approx(2 / 3)


def test_it_says_how_long_texts_must_be_cut() -> None:
    detector = MaliciousTextClassifier.load(artifact().folder)
    assert detector.window_tokens == 126  # of 128 positions, two are special
    text = "the river " * 100
    windows = detector.windows(text, detector.window_tokens, 90)
    assert len(windows) > 1
    assert windows[0][0] == 0
    assert windows[-1][1] == len(text)


def test_int8_is_close_and_unbatched() -> None:
    quantised = MaliciousTextClassifier.from_artifact(artifact("int8"))
    plain = MaliciousTextClassifier.from_artifact(artifact())
    assert np.abs(quantised.logits(TEXTS) - plain.logits(TEXTS)).max() < 0.5
    alone = np.concatenate([quantised.score([text]) for text in TEXTS])
    np.testing.assert_array_equal(quantised.score(TEXTS), alone)


def test_the_table_may_be_missing(tmp_path: Path) -> None:
    detector = MaliciousTextClassifier.from_artifact(altered(tmp_path / "a", lexical__weight=None))
    expected = 0.5 * logits_in_torch(TEXTS) - 0.25
    np.testing.assert_allclose(detector.logits(TEXTS), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "tensor", "field"),
    [
        ("mixing", None, f"tensors.{MIXING}: missing"),
        ("mixing", np.zeros(2, np.float32), f"tensors.{MIXING}: shape"),
        ("lexical__weight", np.zeros(12, np.float32), f"tensors.{TABLE}: weight: 12 buckets"),
        ("lexical__weight", np.zeros(8, np.float64), f"tensors.{TABLE}: shape"),
    ],
)
def test_unusable_tensors_are_named(
    tmp_path: Path, name: str, tensor: NDArray[np.generic] | None, field: str
) -> None:
    broken = altered(tmp_path / "a", **{name: tensor})
    with pytest.raises(ArtifactError, match=field):
        MaliciousTextClassifier.from_artifact(broken)


def with_recipe(folder: Path, **values: object) -> Artifact:
    """The artifact with other values in its recipe."""
    plain = artifact()
    recipe = {**plain.manifest.recipe, **values}
    manifest = plain.manifest.model_copy(update={"files": {}, "recipe": recipe})
    files = {n: c for n, c in plain.contents.items() if n in ("model.onnx", "tokenizer.json")}
    return write(folder, manifest, tensors=plain.tensors(), files=files)


def test_its_artifact_says_which_windows_it_reads(tmp_path: Path) -> None:
    chosen = with_recipe(tmp_path / "a", windows=[[300, 100], [800, 200]])
    plain = MaliciousTextClassifier.from_artifact(artifact())
    assert plain.window_sizes == WINDOWS
    assert MaliciousTextClassifier.from_artifact(chosen).window_sizes == ((800, 200), (300, 100))
    assert chosen.manifest.digest != artifact().manifest.digest


def test_sentences_count_by_themselves_less_a_margin(tmp_path: Path) -> None:
    said = ["Who was born?", "Tell me about the river.", "What is the bridge?"]
    text = " ".join(said)
    whole = MaliciousTextClassifier.from_artifact(artifact())
    alone = whole.logits([text, *said])
    for margin in (0.0, 0.25, MOST_MARGIN):
        read_too = with_recipe(tmp_path / f"{margin}", sentence_margin=margin)
        detector = MaliciousTextClassifier.from_artifact(read_too)
        expected = max(alone[0], alone[1:].max() - margin)
        np.testing.assert_allclose(detector.logits([text, said[0]])[0], expected, atol=1e-5)
        np.testing.assert_allclose(detector.logits(said[:1]), alone[1:2], atol=1e-5)
        assert detector.logits([]).shape == (0,)
        parts = detector.parts(text)
        assert parts == (text, *said)
        found = detector.score_of_parts(detector.part_numbers(parts).tolist())
        np.testing.assert_allclose(found, detector.score([text])[0], rtol=1e-6)
    assert alone[1:].max() > alone[0], "the test's point"
    assert whole.parts(text) == (text,)


@pytest.mark.parametrize("margin", [-1, MOST_MARGIN + 1, True, "much", [0.5]])
def test_margins_that_cannot_be_are_named(tmp_path: Path, margin: object) -> None:
    broken = with_recipe(tmp_path / "a", sentence_margin=margin)
    with pytest.raises(ArtifactError, match=r"recipe\.sentence_margin: expected a number from 0"):
        MaliciousTextClassifier.from_artifact(broken)


@pytest.mark.parametrize(
    "sizes", [[], 300, [[300]], [[300, 151]], [[4, 0]], [["300", 0]], [[9, 1]] * 4]
)
def test_windows_that_cannot_be_are_named(tmp_path: Path, sizes: object) -> None:
    broken = with_recipe(tmp_path / "a", windows=sizes)
    with pytest.raises(ArtifactError, match=r"recipe\.windows: expected 1 to 3"):
        MaliciousTextClassifier.from_artifact(broken)


def test_an_encoder_s_graph_is_no_detector(tmp_path: Path) -> None:
    broken = with_recipe(tmp_path / "a", width=32)
    with pytest.raises(ArtifactError, match=r"recipe\.width: expected 1 logit"):
        MaliciousTextClassifier.from_artifact(broken)


def test_a_written_artifact_is_read_back_whole() -> None:
    again = read(artifact().folder, "malicious-text")
    assert WEIGHTS in again.contents
    assert again.manifest.digest == artifact().manifest.digest


def test_a_table_has_a_power_of_two_buckets() -> None:
    with pytest.raises(ValueError, match="power of two"):
        LexicalTable(np.zeros(3, np.float32))


@cache
def encoder(max_tokens: int, precision: Precision = "fp32") -> OnnxEncoder:
    """An export of the encoder that the tower was trained on."""
    folder = Path(mkdtemp(prefix="ecoguard-test-")) / precision
    written = export_encoder(
        folder, source=tiny_bert(), max_tokens=max_tokens, precision=precision, most_drift=1.0
    )
    return OnnxEncoder(written)


def test_its_graph_gives_the_encoders_features_beside_its_logits() -> None:
    served = encoder(most_tokens(tiny_bert()))
    detector = load_detector(artifact().folder, served)
    assert isinstance(detector, MaliciousTextClassifier)
    assert detector.features_of == served.digest

    logits, features = detector.numbers_and_features(TEXTS)
    np.testing.assert_array_equal(logits, detector.logits(TEXTS))
    np.testing.assert_allclose(features, served.encode(TEXTS), atol=1e-6)


@pytest.mark.parametrize(("shorter", "precision"), [(1, "fp32"), (0, "int8")])
def test_features_of_another_export_are_not_the_encoders(
    shorter: int, precision: Precision
) -> None:
    other = encoder(most_tokens(tiny_bert()) - shorter, precision)
    detector = load_detector(artifact().folder, other)
    assert isinstance(detector, MaliciousTextClassifier)
    assert detector.features_of is None


def test_a_quantised_or_unanchored_tower_gives_no_features(tmp_path: Path) -> None:
    import torch

    quantised = MaliciousTextClassifier.from_artifact(artifact("int8"))
    assert FEATURES not in artifact("int8").manifest.recipe
    assert quantised.features_of is None

    plain = deepcopy(tower())
    torch.nn.init.zeros_(plain.anchor.weight)
    model = TextModel(plain.eval(), None, np.array([1, 0, 0], np.float32))
    written = write_text_model(
        tmp_path / "a",
        model,
        HeldOutFacts(Thresholds.constant(0.75), Calibration([0.1], [0.9])),
        source=tiny_bert(),
        precision="fp32",
        name="tiny",
    )
    assert FEATURES not in written.manifest.recipe
    assert MaliciousTextClassifier.from_artifact(written).logits(TEXTS).shape == (len(TEXTS),)


def test_a_recipe_that_promises_features_needs_a_graph_that_gives_them(tmp_path: Path) -> None:
    plain = artifact("int8")
    recipe = plain.manifest.recipe | {FEATURES: {}}
    manifest = plain.manifest.model_copy(update={"files": {}, "recipe": recipe})
    files = {n: c for n, c in plain.contents.items() if n in ("model.onnx", "tokenizer.json")}
    broken = write(tmp_path / "a", manifest, tensors=plain.tensors(), files=files)
    with pytest.raises(ArtifactError, match=r"recipe\.features: the graph has no such output"):
        MaliciousTextClassifier.from_artifact(broken)
