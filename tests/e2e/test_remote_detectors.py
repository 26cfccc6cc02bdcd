"""Real vLLM servers as detectors: a classifier, and a chat model by its verdict's words.

Scores are compared with a forward pass of the same weights.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from classifiers.model_server.vllm import VllmServer
from guard.detectors.context import Context
from guard.detectors.remote.detector import RemoteModel, load
from guard.detectors.remote.failures import RemoteError
from guard.observability.metrics import Metrics
from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.settings import RemoteDetector
from guard.terms.item import Call, Item
from guard.terms.verdict import Action
from tests.e2e.guard_checkpoints import LABELS, make_chat_model, make_classifier

pytestmark = pytest.mark.vllm

CLASSIFYING = (
    *("--runner", "pooling", "--convert", "classify", "--dtype", "float32"),
    "--no-enable-prompt-embeds",  # with them a BERT's first text ends the engine
)
TEXTS = ["tell me of the river", "write the attack", "a bridge", "unsafe attack of the attack"]


@pytest.fixture(scope="module")
def classifier(
    vllm_interpreter: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VllmServer]:
    folder = make_classifier(tmp_path_factory.mktemp("classifier") / "model")
    with VllmServer(
        folder,
        served_name="injections",
        max_model_len=128,
        interpreter=vllm_interpreter,
        extra_arguments=CLASSIFYING,
        ready_within=900,
    ) as server:
        yield server


@pytest.fixture(scope="module")
def chat_model(
    vllm_interpreter: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VllmServer]:
    folder = make_chat_model(tmp_path_factory.mktemp("chat") / "model")
    with VllmServer(
        folder,
        served_name="guard",
        max_model_len=256,
        interpreter=vllm_interpreter,
        extra_arguments=("--dtype", "float32"),
        ready_within=900,
    ) as server:
        yield server


def detector(server: VllmServer, **keys: object) -> RemoteModel:
    whole = {"kind": "remote", "url": server.url, "model": server.served_name, "timeout_s": 60}
    return load(RemoteDetector.model_validate({**whole, **keys}), Context("remote"))


def classes(server: VllmServer, **keys: object) -> RemoteModel:
    own = {"classes": LABELS, "unsafe": ["INJECTION", "OTHER"]}
    return detector(server, api="classify", **{**own, **keys})


def words(server: VllmServer, **keys: object) -> RemoteModel:
    own: dict[str, object] = {"unsafe": ["unsafe"], "safe": ["safe"], "least_mass": 0}
    return detector(server, api="label-logprobs", **{**own, **keys})


def halved(text: str, tokenizer: Any) -> list[str]:
    """The overlapping parts of a text that the model reads whole."""
    size = len(text)
    if len(tokenizer(text).input_ids) <= 128:
        return [text]
    ends = text[: size // 2 + size // 8], text[size // 2 - size // 8 :]
    return [part for end in ends for part in halved(end, tokenizer)]


def of_words(server: VllmServer, prompts: list[str]) -> list[float]:
    """P(unsafe) among the two words behind each prompt, by the weights themselves."""
    model = AutoModelForCausalLM.from_pretrained(server.model, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(server.model)
    unsafe, safe = (tokenizer.convert_tokens_to_ids(word) for word in ("unsafe", "safe"))
    found = []
    for prompt in prompts:
        ids = tokenizer(prompt, return_tensors="pt", add_special_tokens=False).input_ids
        with torch.no_grad():
            logits = model(ids).logits[0, -1, [unsafe, safe]]
        found.append(float(logits.softmax(0)[0]))
    return found


async def test_a_classifiers_score_is_that_of_its_weights(classifier: VllmServer) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(classifier.model)
    tokenizer = AutoTokenizer.from_pretrained(classifier.model)
    with torch.no_grad():
        batches = (tokenizer(text, return_tensors="pt") for text in TEXTS)
        wanted = [float(model(**each).logits[0].softmax(0)[1:].sum()) for each in batches]
    asking = classes(classifier)
    found = await asking.ask(TEXTS)
    await asking.disconnect()

    assert found == pytest.approx(wanted, abs=1e-3)
    assert max(wanted) - min(wanted) > 0.05  # else any score would do


async def test_what_is_longer_than_the_model_reads_is_judged_to_its_end(
    classifier: VllmServer,
) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(classifier.model)
    tokenizer = AutoTokenizer.from_pretrained(classifier.model)
    text = "tell me of the river " * 40 + "write the attack " * 40
    asking = classes(classifier)
    (found,) = await asking.ask([text])
    await asking.disconnect()

    batches = [tokenizer(part, return_tensors="pt") for part in halved(text, tokenizer)]
    with torch.no_grad():
        wanted = [float(model(**each).logits[0].softmax(0)[1:].sum()) for each in batches]
    assert len(wanted) > 2
    assert found == pytest.approx(max(wanted), abs=1e-3)


async def test_another_order_of_classes_is_noticed(classifier: VllmServer) -> None:
    asking = classes(classifier, classes=LABELS[::-1])
    with pytest.raises(RemoteError) as error:
        await asking.ask(TEXTS)
    await asking.disconnect()
    assert error.value.cause == "other_model"


@pytest.mark.parametrize("logprobs", ["exact", "top"])
async def test_a_chat_models_score_is_that_of_its_weights(
    chat_model: VllmServer, logprobs: str
) -> None:
    wanted = of_words(chat_model, [f"[user] {text} [verdict]" for text in TEXTS])
    asking = words(chat_model, logprobs=logprobs)
    found = await asking.ask(TEXTS)
    await asking.disconnect()

    assert found == pytest.approx(wanted, abs=1e-3)
    assert max(wanted) - min(wanted) > 0.05


async def test_an_answer_is_scored_with_its_question(chat_model: VllmServer) -> None:
    (wanted,) = of_words(chat_model, ["[user] tell me [assistant] the attack [verdict]"])
    asking = words(chat_model)
    question = Item(("messages", 0), "user", "tell me")
    call = Call("chat", "/v1/chat/completions", {}, "demo", False, (question,))
    (found,) = await asking.about(call).ask(["the attack"])
    await asking.disconnect()
    assert found == pytest.approx(wanted, abs=1e-3)


async def test_a_model_that_wants_to_say_something_else_has_failed(chat_model: VllmServer) -> None:
    asking = words(chat_model, least_mass=0.999)
    metrics = Metrics()
    policy = Policy("guard", "guard", asking, 0.5, Action.BLOCK, Action.BLOCK)
    screener = Screener([policy], None, metrics, timeout=60)
    verdict = await screener.screen([Item(("messages", 0), "user", TEXTS[0])])
    await screener.finish()
    await asking.disconnect()
    assert (verdict.action, verdict.failure) == (Action.BLOCK, "failed")
    assert 'cause="low_mass",detector="guard"' in metrics.text().decode()


async def test_a_name_that_is_not_served_is_refused(chat_model: VllmServer) -> None:
    asking = words(chat_model, model="nobody")
    with pytest.raises(RemoteError) as error:
        await asking.ask(TEXTS)
    await asking.disconnect()
    assert error.value.cause == "refused"
