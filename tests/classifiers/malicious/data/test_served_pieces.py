"""Training sees the very pieces that screening scores, and reduces their scores as it does."""

import base64
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.encoder.features import FeatureCache
from classifiers.malicious.data.served_pieces import (
    conversation_pieces,
    encode_pieces,
    highest,
    served_pieces,
)
from classifiers.prompts.labelled import LabelledPrompt
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.observability.metrics import Metrics
from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.terms.detector import Detector, Features, Scores
from guard.terms.item import Item
from guard.terms.verdict import Action
from tests.encoders import tiny_artifact

LONG = "tell me about the bridge of the river. " * 60
HIDDEN = base64.b64encode(b"tell me what is the bridge of the river about").decode()
DENSE = "汉" * 400
TEXTS = ("who was born in the river", LONG, f"read {HIDDEN} and do it", DENSE)


class SpentEncoder(OnnxEncoder):
    """Encodes nothing any more."""

    def encode(self, texts: Sequence[str]) -> Features:
        raise AssertionError(f"{len(texts)} texts to encode")


class DotDetector(Detector):
    """Scores features by their product with a fixed vector, squashed into [0, 1]."""

    threshold = 1e-6
    version = ""

    def __init__(self, encoder: OnnxEncoder) -> None:
        self.encoder: str | None = encoder.digest
        self._weight = np.random.default_rng(5).standard_normal(encoder.width)

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:
        assert features is not None
        assert len(texts) == len(features)
        return np.asarray(0.5 + 0.5 * np.tanh(features @ self._weight), dtype=np.float32)


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return OnnxEncoder.load(tiny_artifact())


def test_scores_are_those_of_screening(encoder: OnnxEncoder) -> None:
    detector = DotDetector(encoder)
    policy = Policy("p", "d", detector, detector.threshold, Action.FLAG, Action.FLAG)
    screener = Screener([policy], encoder, Metrics())
    prompts = [LabelledPrompt(text, "s") for text in TEXTS]
    pieces = encode_pieces(prompts, encoder)
    owners = pieces.owner_index
    scores = detector.score([""] * len(owners), pieces.features)
    ours = highest(scores, owners, len(TEXTS))
    for text, score in zip(TEXTS, ours, strict=True):
        (finding,) = screener.judge([Item(("messages", 0, "content"), "user", text)])
        assert finding.score == pytest.approx(float(score), abs=1e-6)
    screener.close()
    assert set(np.bincount(owners)) - {1}, "long and disguised texts have several pieces"


SPLIT = ("tell me about the bri", "dge of the river, and then")
CONVERSATIONS = (SPLIT, (TEXTS[0], LONG, "thanks"), ("hello", TEXTS[2], "and then?", "why"))


def conversation(turns: Sequence[str]) -> LabelledPrompt:
    return LabelledPrompt("\n".join(turns), "s", turns=tuple(turns))


@pytest.mark.parametrize("turns", CONVERSATIONS)
def test_a_conversation_scores_as_in_screening(turns: Sequence[str], encoder: OnnxEncoder) -> None:
    """Beyond reach of any score, so that screening joins all turns and keeps the highest."""
    detector = DotDetector(encoder)
    policy = Policy("p", "d", detector, 2.0, Action.FLAG, Action.FLAG)
    screener = Screener([policy], encoder, Metrics())
    pieces = encode_pieces([conversation(turns)], encoder)
    scores = detector.score([""] * len(pieces.features), pieces.features)
    (ours,) = highest(scores, pieces.owner_index, 1)
    items = [
        Item(("messages", 2 * i, "content"), "user", text, corruptible=True)
        for i, text in enumerate(turns)
    ]
    findings = screener.judge(items)
    screener.close()
    assert max(finding.score or 0.0 for finding in findings) == pytest.approx(float(ours), abs=1e-6)


def test_turns_are_read_alone_and_joined() -> None:
    pieces = conversation_pieces([conversation(SPLIT), LabelledPrompt("alone", "s")])
    own = [text for text, owner in zip(pieces.texts, pieces.owner_index, strict=True) if not owner]
    assert own[0] == "\n".join(SPLIT)
    assert {*SPLIT, "".join(SPLIT)} <= set(own)
    assert pieces.texts[len(own) :] == ("alone",)


def test_pieces_fit_the_encoder(encoder: OnnxEncoder) -> None:
    whole, cut = served_pieces([DENSE]), served_pieces([DENSE], encoder)
    assert whole.texts == (DENSE,)
    assert len(cut.texts) > 1
    assert all(encoder.count_tokens(text) <= encoder.window_tokens for text in cut.texts)


def test_a_prompts_pieces_stand_together_and_its_text_is_first() -> None:
    pieces = served_pieces(TEXTS)
    owners = pieces.owner_index.tolist()
    assert owners == sorted(owners)
    assert pieces.texts[owners.index(2)] == TEXTS[2]
    assert any("what is the bridge" in text for text in pieces.texts[owners.index(2) + 1 :])


def test_the_cache_spares_the_encoder(encoder: OnnxEncoder, tmp_path: Path) -> None:
    prompts = [LabelledPrompt(text, "s") for text in TEXTS]
    cache = FeatureCache(tmp_path)
    first = encode_pieces(prompts, encoder, cache)
    again = encode_pieces(prompts, SpentEncoder.load(tiny_artifact()), cache)
    np.testing.assert_array_equal(first.features, again.features)


def test_first_pieces_need_a_piece_each(encoder: OnnxEncoder) -> None:
    prompts = [LabelledPrompt(text, "s") for text in (*TEXTS, "  ")]
    pieces = encode_pieces(prompts, encoder)
    with pytest.raises(ValueError, match="1 of 5 prompts have no piece"):
        pieces.first_of_each(5)
    assert pieces.first_of_each(4).shape == (4, encoder.width)


def test_no_prompts(encoder: OnnxEncoder) -> None:
    pieces = encode_pieces([], encoder)
    assert pieces.features.shape == (0, encoder.width)
    assert highest(np.zeros(0, dtype=np.float32), pieces.owner_index, 0).shape == (0,)


@given(
    st.lists(st.tuples(st.integers(0, 6), st.floats(-5, 5, width=32, allow_nan=False)), max_size=40)
)
def test_highest_is_the_maximum_by_owner(pairs: list[tuple[int, float]]) -> None:
    owners = np.array([owner for owner, _ in pairs], dtype=np.int64)
    scores = np.array([score for _, score in pairs], dtype=np.float32)
    expected = [max((s for o, s in pairs if o == owner), default=0.0) for owner in range(7)]
    np.testing.assert_array_equal(highest(scores, owners, 7), np.array(expected, dtype=np.float32))
