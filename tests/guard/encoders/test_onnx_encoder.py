"""The ONNX encoder against torch, alone and in company, and its windows."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard.artifacts.folder import read, write
from guard.artifacts.manifest import draft
from guard.encoders.onnx_encoder import (
    BATCH_TOKENS,
    MODEL,
    PASS_TOKENS,
    OnnxEncoder,
    _batches,
    _shares,
)
from guard.encoders.tokenizer import TOKENIZER
from guard.terms.errors import ArtifactError
from tests.encoders import tiny_artifact, tiny_bert

TEXTS = ["what is the river", "", "who was born?", "a " * 100, "tell me about the bridge of xyz"]


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return OnnxEncoder.load(tiny_artifact())


def test_features_are_torch_features(encoder: OnnxEncoder) -> None:
    import torch
    from transformers import BertModel

    model = BertModel.from_pretrained(tiny_bert(), local_files_only=True)
    features = encoder.encode(TEXTS)
    for text, row in zip(TEXTS, features, strict=True):
        with torch.inference_mode():
            hidden = model(torch.tensor([encoder.token_ids(text)])).last_hidden_state[0]
        mean = hidden.mean(0).numpy()
        np.testing.assert_allclose(row, mean / np.linalg.norm(mean), atol=1e-5)


def test_features_have_unit_length_and_the_stated_shape(encoder: OnnxEncoder) -> None:
    features = encoder.encode(TEXTS)
    assert features.shape == (len(TEXTS), encoder.width)
    assert features.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    assert encoder.encode([]).shape == (0, encoder.width)


def test_order_and_company_do_not_matter(encoder: OnnxEncoder) -> None:
    together = encoder.encode(TEXTS * 20)[: len(TEXTS)]
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_nothing_holds_on_to_the_model_s_file() -> None:
    artifact = read(tiny_artifact())
    before = sys.getrefcount(artifact.bytes_of(MODEL))
    encoder = OnnxEncoder(artifact)
    after = sys.getrefcount(artifact.bytes_of(MODEL))
    assert after == before
    assert encoder.encode(["a river"]).shape == (1, encoder.width)


def test_a_system_without_files_in_memory_serves_all_the_same(
    encoder: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    features = OnnxEncoder.load(tiny_artifact()).encode(TEXTS)
    np.testing.assert_array_equal(features, encoder.encode(TEXTS))


def test_threads_share_one_encoder(encoder: OnnxEncoder) -> None:
    expected = encoder.encode(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for features in pool.map(lambda _: encoder.encode(TEXTS), range(16)):
            np.testing.assert_array_equal(features, expected)


@pytest.mark.parametrize("count", [1, 2, len(TEXTS) * 20])
def test_batches_in_several_threads_are_the_same_features(encoder: OnnxEncoder, count: int) -> None:
    texts = (TEXTS * 20)[:count]
    several = OnnxEncoder(read(tiny_artifact()), threads=3)
    np.testing.assert_allclose(several.encode(texts), encoder.encode(texts), atol=1e-6)


def test_a_batch_that_fails_in_a_thread_of_its_own_fails_the_call() -> None:
    several = OnnxEncoder(read(tiny_artifact()), threads=2)
    run = several._session.run

    class Failing:
        def run(self, names: object, feeds: dict[str, object]) -> object:
            if threading.current_thread() is not threading.main_thread():
                raise RuntimeError("scripted failure")
            return run(names, feeds)

    several._session = Failing()
    with pytest.raises(RuntimeError, match="scripted"):
        several.encode(TEXTS * 20)


def test_input_is_cut_off_at_max_tokens(encoder: OnnxEncoder) -> None:
    assert len(encoder.token_ids("a " * 500)) == encoder.max_tokens
    assert encoder.count_tokens("a " * 500) == 500
    assert encoder.window_tokens == encoder.max_tokens - 2


def test_long_runs_of_letters_are_not_one_unknown_token(encoder: OnnxEncoder) -> None:
    run = "tellmeabout" * 30
    assert encoder.count_tokens(run) > 100
    assert [text_range[0] for text_range in encoder.offsets(run)] == sorted(
        start for start, _ in encoder.offsets(run)
    )


@settings(deadline=None, max_examples=60)
@given(text=st.text("abc é😀漢.\n", max_size=300), stride=st.integers(1, 16))
def test_windows_cover_any_text(encoder: OnnxEncoder, text: str, stride: int) -> None:
    windows = encoder.windows(text, 16, stride)
    assert windows[0][0] == 0
    assert windows[-1][1] == len(text)
    assert all(a < b <= end for (a, end), (b, _) in pairwise(windows))
    assert all(encoder.count_tokens(text[start:end]) <= 16 for start, end in windows)


@given(lengths=st.lists(st.integers(1, 64), max_size=40), most=st.sampled_from([0, 64, 256]))
def test_batches_are_bounded_and_complete(lengths: list[int], most: int) -> None:
    batches = list(_batches(lengths, most))
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= most


@given(lengths=st.lists(st.integers(1, 256), min_size=1, max_size=60), threads=st.integers(1, 8))
def test_shares_are_all_batches_dealt_evenly(lengths: list[int], threads: int) -> None:
    batches = list(_batches(lengths, BATCH_TOKENS))
    shares = _shares(batches, lengths, threads)
    dealt = [batch for share in shares for batch in share]
    assert sorted(row for batch in dealt for row in batch) == list(range(len(lengths)))
    assert 1 <= len(shares) <= threads
    assert all(shares)
    if threads == 1:
        assert sorted(dealt) == sorted(batches)

    def tokens(batch: list[int]) -> int:
        return len(batch) * max(lengths[row] for row in batch) + PASS_TOKENS

    loads = [sum(map(tokens, share)) for share in shares]
    assert max(loads) - min(loads) <= max(map(tokens, dealt))


def test_a_batch_is_halved_for_a_thread_that_has_none() -> None:
    assert _shares([[0, 1, 2, 3]], [18] * 4, 2) == [[[0, 1]], [[2, 3]]]
    assert _shares([[0, 1]], [4] * 2, 2) == [[[0, 1]]], "too short to gain"
    assert _shares([[0]], [256], 4) == [[[0]]]


@given(lengths=st.lists(st.integers(1, 256), max_size=60))
def test_a_batch_is_never_filled_up_for_more_than_a_pass(lengths: list[int]) -> None:
    for batch in _batches(lengths, BATCH_TOKENS):
        own = [lengths[row] for row in batch]
        for count, (shorter, longer) in enumerate(pairwise(own), 1):
            assert 0 <= count * (longer - shorter) <= PASS_TOKENS


def test_a_text_s_sentences_do_not_cost_what_the_whole_does() -> None:
    # A whole of 71 tokens and its sentences: one batch would have been 497 tokens.
    assert list(_batches([71, 14, 15, 14, 15, 14, 6], BATCH_TOKENS)) == [[6, 1, 3, 5, 2, 4], [0]]


@pytest.mark.parametrize("name", [MODEL, TOKENIZER])
def test_unusable_files_are_named(tmp_path: Path, name: str) -> None:
    good = read(tiny_artifact())
    files = {key: good.bytes_of(key) for key in (MODEL, TOKENIZER)} | {name: b"junk"}
    write(tmp_path / "bad", draft("encoder", "x", recipe=good.manifest.recipe), files=files)
    with pytest.raises(ArtifactError, match=f"{name}: not a"):
        OnnxEncoder.load(tmp_path / "bad")


def test_another_kind_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "other", draft("forget", "x"))
    with pytest.raises(ArtifactError, match="kind: expected 'encoder', found 'forget'"):
        OnnxEncoder.load(tmp_path / "other")
