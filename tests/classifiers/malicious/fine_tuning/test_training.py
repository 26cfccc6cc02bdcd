"""Fine-tuning on a tiny random encoder: it learns, resumes, exports and holds sources out."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from classifiers.malicious.fine_tuning.artifact import most_tokens
from classifiers.malicious.fine_tuning.examples import Mixture, build_examples
from classifiers.malicious.fine_tuning.losses import window_loss
from classifiers.malicious.fine_tuning.optimisation import Examples, predict, train_tower
from classifiers.malicious.fine_tuning.settings import FineTuning
from classifiers.malicious.fine_tuning.soup import stir_soup
from classifiers.malicious.fine_tuning.token_states import TokenStates, compute_states
from classifiers.malicious.fine_tuning.tower import Tower, TunedPart, load_tower
from classifiers.malicious.fine_tuning.training import (
    fit_text_model,
    new_tower,
    tokenize,
    train_malicious_text,
)
from classifiers.malicious.recipe import as_dataclass
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.runs.device import Device
from guard.detectors.malicious.text import MaliciousTextClassifier
from guard.terms.detector import WindowSize
from guard.terms.errors import ConfigError
from lab.detection.cross_validation import HeldOutGroups, WindowLogits
from tests.classifiers.malicious.fine_tuning.prompts import prompts
from tests.encoders import tiny_bert

HOW = FineTuning(
    soup=2,
    epochs=3,
    rate=3e-3,
    batch=16,
    max_tokens=64,
    frozen_layers=1,
    windows=(WindowSize(60, 20),),
)
MIXTURE = Mixture(composed=0, twins=1, wrapped=0, documents=3, extractions=1)


def _states(folder: Path) -> tuple[TokenStates, Examples]:
    rows = prompts()
    tokens = tokenize([row.text for row in rows], tiny_bert(), 64)
    states = compute_states(load_tower(tiny_bert(), 1), tokens, folder)
    labels = np.array([row.label == "malicious" for row in rows], dtype=np.float32)
    return states, Examples(np.arange(len(rows)), labels, np.ones(len(rows), np.float32))


def _tower() -> Tower:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(5)
        return load_tower(tiny_bert(), 1)


def _scores(tower: Tower, states: TokenStates, examples: Examples) -> NDArray[np.float32]:
    """The highest logit of each window."""
    _, owners = states.pools(examples.windows)
    starts = np.searchsorted(owners, np.arange(len(examples.windows)))
    return np.maximum.reduceat(predict(tower, states, examples.windows), starts)


def test_cached_states_give_the_graph_s_own_logits(tmp_path: Path) -> None:
    import torch

    states, _ = _states(tmp_path)
    tower = _tower().eval()
    ids = tokenize([prompts()[3].text], tiny_bert(), 64)[0]
    with torch.inference_mode():
        whole = tower(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long))
    tuned = predict(tower, states, np.array([3]))
    assert tuned.max() == pytest.approx(float(whole[0, 0]), abs=2e-3)  # states are half precision


def test_the_tower_learns_what_tells_the_classes_apart(tmp_path: Path) -> None:
    states, examples = _states(tmp_path)
    tower, losses = _tower(), []
    train_tower(tower, states, examples, HOW, seed=1, tell=lambda _, loss: losses.append(loss))
    scores = _scores(tower, states, examples)
    assert losses[-1] < losses[0]
    assert scores[examples.labels == 1].min() > scores[examples.labels == 0].max()


def test_an_interrupted_training_gives_the_same_tower(tmp_path: Path) -> None:
    states, examples = _states(tmp_path)
    whole, stopped, resumed = _tower(), _tower(), _tower()
    train_tower(whole, states, examples, HOW, seed=1)
    steps = -(-len(examples.windows) // HOW.batch)
    seen = 0

    def stop(_: int, __: float) -> None:
        nonlocal seen
        seen += 1
        if seen > 2 * steps:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_tower(stopped, states, examples, HOW, seed=1, checkpoints=tmp_path / "c", tell=stop)
    assert [place.name for place in (tmp_path / "c").iterdir()] == ["epoch-2"]
    losses: list[float] = []
    train_tower(
        *(resumed, states, examples, HOW),
        seed=1,
        checkpoints=tmp_path / "c",
        tell=lambda _, loss: losses.append(loss),
    )
    assert len(losses) == steps
    expected = whole.delta()
    for name, tensor in resumed.delta().items():
        np.testing.assert_array_equal(tensor, expected[name])


@pytest.fixture
def _fresh_accelerate() -> Iterator[None]:
    """Accelerate keeps one precision for a process."""
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.mark.usefixtures("_fresh_accelerate")
def test_in_bfloat16_it_learns_the_same(tmp_path: Path) -> None:
    """As on a GPU; the weights themselves stay float32."""
    states, examples = _states(tmp_path)
    tower = _tower()
    train_tower(tower, states, examples, HOW, seed=1, device=Device("cpu", bf16=True))
    scores = _scores(tower, states, examples)
    assert scores[examples.labels == 1].min() > scores[examples.labels == 0].max()
    assert {str(tensor.dtype) for tensor in tower.delta().values()} == {"torch.float32"}


def test_no_tensor_of_a_step_is_left_on_the_processor(tmp_path: Path) -> None:
    """On the device without memory any tensor from elsewhere is an error."""
    import torch

    states, examples = _states(tmp_path)
    meta = torch.device("meta")
    part = TunedPart(_tower().train()).to(meta)
    inputs = states.batch(examples.windows[:8], 64, meta)
    loss = window_loss(part(*inputs), inputs[0].new_empty(8), inputs[0].new_empty(8))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.device == meta
    assert all(parameter.grad is not None for parameter in part.parameters())


def test_a_soup_has_the_mean_weights_of_its_runs(tmp_path: Path) -> None:
    states, examples = _states(tmp_path)
    runs: list[tuple[int, Tower]] = []

    def train(tower: Tower, seed: int) -> None:
        train_tower(tower, states, examples, HOW, seed=seed)
        runs.append((seed, deepcopy(tower)))

    soup = stir_soup(partial(new_tower, tiny_bert(), 1), train, 1, 2)
    assert [seed for seed, _ in runs] == [1, 2]
    first, second = (tower.delta() for _, tower in runs)
    for name, tensor in soup.delta().items():
        np.testing.assert_allclose(tensor, (first[name] + second[name]) / 2, rtol=1e-6, atol=1e-7)
    assert not np.allclose(first["head.weight"], second["head.weight"])
    scores = _scores(soup.eval(), states, examples)
    assert scores[examples.labels == 1].min() > scores[examples.labels == 0].max()


def test_other_settings_do_not_go_on_with_a_run(tmp_path: Path) -> None:
    examples = build_examples(prompts(), MIXTURE)
    once = replace(HOW, soup=1)
    slow = replace(once, rate=1e-9)
    heads = [
        fit_text_model(examples, how, tiny_bert(), tmp_path, seed=1).tower.delta()["head.weight"]
        for how in (slow, once, slow)
    ]
    assert np.array_equal(heads[0], heads[2])
    assert not np.allclose(heads[0], heads[1], atol=1e-3)


def test_states_that_are_there_are_not_computed_again(tmp_path: Path) -> None:
    before, _ = _states(tmp_path)
    kept = np.array(before.states)
    tower = load_tower(tiny_bert(), 1)
    tower.lower = None  # type: ignore[assignment,method-assign]
    tokens = tokenize([row.text for row in prompts()], tiny_bert(), 64)
    np.testing.assert_array_equal(compute_states(tower, tokens, tmp_path).states, kept)


def test_a_trained_artifact_separates_unseen_prompts(tmp_path: Path) -> None:
    rows = prompts()
    held = [row for row in rows if row.source.endswith("-5")]
    learned = [row for row in rows if not row.source.endswith("-5")]
    steps: set[str] = set()
    artifact = train_malicious_text(
        learned,
        held,
        tmp_path / "out",
        cache=tmp_path / "cache",
        settings=HOW,
        mixture=MIXTURE,
        source=tiny_bert(),
        fpr=0.2,
        progress=lambda step, *_: steps.add(step),
    )
    detector = MaliciousTextClassifier.load(tmp_path / "out")
    scores = detector.score([row.text for row in held])
    bad = np.array([row.label == "malicious" for row in held])
    assert scores[bad].mean() > scores[~bad].mean() + 0.2
    assert steps == {"states", "training"}
    assert not list((tmp_path / "cache").glob("checkpoints-*"))
    assert detector.window_sizes == HOW.windows
    assert artifact.manifest.recipe["max_tokens"] == most_tokens(tiny_bert())
    assert detector.calibration is not None
    assert len(detector.calibration.benign) == (~bad).sum()


def test_int8_takes_one_text_at_a_time(tmp_path: Path) -> None:
    rows = prompts()
    artifact = train_malicious_text(
        rows[:-12],
        rows[-12:],
        tmp_path / "out",
        cache=tmp_path / "cache",
        settings=replace(HOW, epochs=1),
        mixture=MIXTURE,
        source=tiny_bert(),
        precision="int8",
        fpr=0.2,
    )
    detector = MaliciousTextClassifier.from_artifact(artifact)
    texts = [row.text for row in rows[:4]]
    alone = np.concatenate([detector.score([text]) for text in texts])
    np.testing.assert_array_equal(detector.score(texts), alone)


@pytest.mark.parametrize("windows", [(), (WindowSize(90, 50),), (WindowSize(4, 0),)])
def test_windows_that_cannot_be_are_refused(windows: tuple[WindowSize, ...]) -> None:
    with pytest.raises(ValueError, match="windows: 1 to 3"):
        FineTuning(windows=windows)


def test_what_cannot_be_counted_is_refused() -> None:
    for name in ("soup", "epochs", "batch", "max_tokens"):
        with pytest.raises(ValueError, match=f"{name}: expected at least 1"):
            as_dataclass(FineTuning, {name: 0})


def test_a_missing_class_is_named(tmp_path: Path) -> None:
    benign = [row for row in prompts() if row.label == "benign"]
    with pytest.raises(ConfigError, match="prompts: none is labelled malicious"):
        train_malicious_text(benign, benign, tmp_path / "out", cache=tmp_path)


def test_groups_are_scored_by_models_without_them(tmp_path: Path) -> None:
    rows = prompts()
    groups = HeldOutGroups(rows, rows, HOW, tiny_bert(), tmp_path, MIXTURE)
    held = frozenset({"benign-5", "malicious-5"})
    chosen = np.flatnonzero([row.source in held for row in rows])
    logits = groups.score(groups.fit(held, "fold"), chosen).of_prompts(HOW, len(rows))
    assert np.isinf(np.delete(logits, chosen)).all()
    bad = np.array([rows[i].label == "malicious" for i in chosen])
    assert logits[chosen][bad].mean() > logits[chosen][~bad].mean()


def test_a_sentence_counts_by_its_margin_and_never_without_one() -> None:
    nothing = np.zeros(4, dtype=np.float32)
    logits = WindowLogits(
        np.array([1, 3, -1, 2], dtype=np.float32),
        nothing,
        nothing,
        np.array([0, 0, 1, 1]),
        np.array([False, True, True, False]),
    )
    for margin, expected in ((None, [1, 2]), (0.5, [2.5, 2]), (3.0, [1, 2])):
        found = logits.of_prompts(replace(HOW, sentence_margin=margin), 2)
        assert found.tolist() == expected


def test_the_sentences_of_windows_are_scored_as_serving_scores_them(tmp_path: Path) -> None:
    text = "The river is wide here today. Write a poem about the old bridge. It is a fine one."
    rows = [*prompts(), LabelledPrompt(text, "benign-5", "benign", "x")]
    groups = HeldOutGroups(rows, rows, HOW, tiny_bert(), tmp_path, MIXTURE)
    logits = groups.score(groups.fit(frozenset({"benign-5"}), "fold"), np.array([len(rows) - 1]))
    # Windows of 60 characters at most, of one or two sentences.
    assert logits.sentence.any()
    assert not logits.sentence.all()
    assert set(logits.owner_index.tolist()) == {len(rows) - 1}
