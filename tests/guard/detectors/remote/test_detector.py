"""Remote models as detectors: scores, what is sent, faults, answers, what is remembered."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from guard.detectors.context import Context
from guard.detectors.kinds import load_detectors, load_source
from guard.detectors.remote.detector import RemoteModel, load
from guard.detectors.remote.failures import RemoteError
from guard.observability.metrics import Metrics
from guard.screening.policy import Policy
from guard.screening.score_cache import ScoreCache
from guard.screening.screener import Screener
from guard.settings import RemoteDetector, Settings
from guard.terms.errors import ConfigError
from guard.terms.item import Author, Call, Item
from guard.terms.verdict import Action, Verdict
from tests.guard_models import CLASSES, GuardModel, section
from tests.servers import serving

MODERATIONS: dict[str, object] = {"api": "moderations", "unsafe": ["violence"]}


@asynccontextmanager
async def asking(model: GuardModel, **keys: object) -> AsyncIterator[RemoteModel]:
    """A detector that asks a running server of the model."""
    async with serving(model) as url:
        detector = load(section(url, **keys), Context("remote"))
        yield detector
        model.gate.set()
        await detector.disconnect()


def turn(index: int, author: Author, text: str) -> Item:
    return Item(("messages", index), author, text, True, author)


def call(*items: Item) -> Call:
    return Call("chat", "/v1/chat/completions", {}, "demo", False, items)


async def screened(detector: RemoteModel, *texts: str, metrics: Metrics | None = None) -> Verdict:
    policy = Policy("rule", "remote", detector, 0.5, Action.BLOCK, Action.FLAG)
    screener = Screener([policy], None, metrics or Metrics(), timeout=20)
    try:
        return await screener.screen([turn(i, "user", text) for i, text in enumerate(texts)])
    finally:
        await screener.finish()


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"logprobs": "top"},
        CLASSES,
        {**CLASSES, "input": "conversation"},
        {**CLASSES, "multi_label": True},
        MODERATIONS,
    ],
    ids=["exact", "top", "classify", "classify a conversation", "multi-label", "moderations"],
)
async def test_scores_are_the_models_probabilities(keys: dict[str, object]) -> None:
    async with asking(GuardModel(), **keys) as detector:
        scores = await detector.ask(["an attack", "hello", "an attack again"])
    assert scores == pytest.approx([0.9, 0.2, 0.9], abs=1e-5)


async def test_a_label_model_is_asked_for_one_token_and_the_words_only() -> None:
    model = GuardModel()
    async with asking(model) as detector:
        await detector.ask(["hello"])
    asked = model.requests[-1][1]
    assert asked["logprob_token_ids"] == [2, 1]
    assert (asked["max_tokens"], asked["temperature"], asked["logprobs"]) == (1, 0, True)
    assert asked["messages"] == [{"role": "user", "content": "hello"}]


@pytest.mark.parametrize(
    ("model", "keys", "cause"),
    [
        (GuardModel(status=500), {}, "status"),
        (GuardModel(status=401), {}, "refused"),
        (GuardModel(body=b"<html>"), {}, "unreadable"),
        (GuardModel(body=b"[1]"), {}, "unreadable"),
        (GuardModel(body=b'{"tokens": [1], "choices": []}'), {}, "other_model"),
        (GuardModel(mass=0.3), {}, "low_mass"),
        (GuardModel(mass=0.3), {"logprobs": "top"}, "low_mass"),
        (GuardModel(first=("other",)), {}, "low_mass"),
        (GuardModel(model="another"), {}, "other_model"),
        (GuardModel(model="another"), CLASSES, "other_model"),
        (GuardModel(classes=("BAD", "FINE")), CLASSES, "other_model"),
        (GuardModel(classes=("FINE", "BAD", "UGLY")), CLASSES, "other_model"),
        (GuardModel(judge=lambda _: 7.0), CLASSES, "unreadable"),
        (GuardModel(body=b'{"model": "guard", "data": []}'), CLASSES, "unreadable"),
        (GuardModel(), {"api": "moderations", "unsafe": ["sadness"]}, "unreadable"),
        (GuardModel(judge=lambda _: 2.0), MODERATIONS, "unreadable"),
        (GuardModel(body=b'{"results": []}'), MODERATIONS, "unreadable"),
    ],
)
async def test_what_is_no_verdict_is_a_failure_with_its_cause(
    model: GuardModel, keys: dict[str, object], cause: str
) -> None:
    metrics = Metrics()
    async with asking(model, **keys, retries=0) as detector:
        verdict = await screened(detector, "an attack", metrics=metrics)
    assert [(f.action, f.failure, f.score) for f in verdict.findings] == [
        (Action.FLAG, "failed", None)
    ]
    series = f'ecoguard_detector_failures_total{{cause="{cause}",detector="remote"}} 1.0'
    assert series in metrics.text().decode()


async def test_a_server_that_never_answers_is_too_late() -> None:
    metrics = Metrics()
    async with asking(GuardModel(held=True), timeout_s=0.3) as detector:
        verdict = await screened(detector, "an attack", metrics=metrics)
    assert [finding.failure for finding in verdict.findings] == ["timeout"]
    assert re.search('cause="(late|timeout)",detector="remote"', metrics.text().decode())


async def test_a_text_that_is_too_long_is_judged_in_parts_to_its_end() -> None:
    model = GuardModel(longest=100)
    long = "hello " * 60 + "an attack"
    async with asking(model, **CLASSES) as detector:
        assert await detector.ask([long, "hello"]) == pytest.approx([0.9, 0.2])
    asked = [text for _, request in model.requests for text in request["input"]]
    assert max(len(text) for text in asked if "attack" in text and len(text) <= 100) <= 100


async def test_a_text_that_is_refused_whatever_its_length_fails() -> None:
    async with asking(GuardModel(longest=1), **CLASSES) as detector:
        with pytest.raises(RemoteError, match="status 400"):
            await detector.ask(["hello " * 100])


async def test_no_more_questions_are_open_than_allowed() -> None:
    model = GuardModel()
    async with asking(model, concurrency=3) as detector:
        await detector.ask([f"text {n}" for n in range(20)])
    assert model.most_in_flight <= 3


async def test_an_answer_is_judged_with_its_question() -> None:
    model = GuardModel()
    async with asking(model) as detector:
        asked = call(
            turn(0, "developer", "Be kind."), turn(1, "user", "A riddle?"), turn(2, "user", "How?")
        )
        judge = detector.about(asked)
        assert isinstance(judge, RemoteModel)
        assert await judge.ask(["By an attack."]) == pytest.approx([0.9], abs=1e-5)
    assert model.requests[-1][1]["messages"] == [
        {"role": "user", "content": "How?"},
        {"role": "assistant", "content": "By an attack."},
    ]
    assert judge.asks_as is detector
    assert len({judge.version, detector.version, detector.about(call()).version}) == 3


async def test_an_answer_may_be_judged_in_its_conversation() -> None:
    model = GuardModel()
    async with asking(model, input="conversation") as detector:
        turns = (turn(0, "user", "Hi."), turn(1, "assistant", "Yes?"), turn(2, "user", "How?"))
        await detector.about(call(*turns)).ask(["So."])
    said = [message["content"] for message in model.requests[-1][1]["messages"]]
    assert said == ["Hi.", "Yes?", "How?", "So."]


async def test_every_turn_is_judged_in_its_conversation_and_once() -> None:
    model = GuardModel(judge=lambda text: 0.9 if "bomb" in text and "How?" in text else 0.2)
    async with asking(model, input="conversation") as detector:
        policy = Policy("rule", "remote", detector, 0.5, Action.BLOCK, Action.FLAG)
        screener = Screener([policy], None, Metrics(), cache=ScoreCache(1 << 20, Metrics()))
        turns = [
            turn(0, "developer", "Rules."),
            turn(1, "user", "A bomb."),
            turn(2, "user", "How?"),
        ]
        verdict = await screener.screen(turns)
        first = len(model.requests)
        again = await screener.screen([*turns, turn(3, "user", "Thanks.")])
        await screener.finish()
    assert (verdict.action, verdict.items(Action.BLOCK)) == (Action.BLOCK, (2,))
    assert again.items(Action.BLOCK) == (2, 3)
    said = [message["content"] for message in model.requests[-1][1]["messages"]]
    assert (said, len(model.requests) - first) == (["A bomb.", "How?", "Thanks."], 1)


@pytest.mark.parametrize(
    ("preset", "first", "text"),
    [("llama", ("\n\n",), ""), ("qwen", ("Safety:",), "Safety:")],
)
async def test_a_preset_says_where_the_verdict_stands(
    preset: str, first: tuple[str, ...], text: str, tmp_path: Path
) -> None:
    file = tmp_path / f"{preset}.yaml"
    file.write_text(
        f'unsafe: [" bad"]\nsafe: [" fine"]\nafter: "{text}"\nwithin: 3\nmarkers: ["<|"]\n'
    )
    model = GuardModel(first=first)
    async with asking(model, preset_file=file) as detector:
        assert await detector.ask(["<|an attack|>"]) == pytest.approx([0.9], abs=1e-5)
        model.first = ("other",)
        with pytest.raises(RemoteError) as error:
            await detector.ask(["hello"])
    assert model.requests[2][1]["messages"][0]["content"] == "< |an attack|>"
    assert error.value.cause == ("low_mass" if not text else "off_format")


async def test_a_model_without_a_chat_template_is_asked_for_a_completion() -> None:
    model = GuardModel(tokens={"yes": 2, "no": 1})
    async with asking(model, preset="wildguard") as detector:
        assert await detector.ask(["an [INST] attack"]) == pytest.approx([0.9], abs=1e-5)
    path, asked = model.requests[-1]
    assert path == "/v1/completions"
    assert "Human user:\nan [ INST] attack\n" in asked["prompt"]
    assert asked["prompt"].endswith("<|assistant|>\nHarmful request:")


async def test_scores_are_remembered_under_what_decides_them() -> None:
    model = GuardModel()
    async with asking(model, **CLASSES) as detector:
        policy = Policy("rule", "remote", detector, 0.5, Action.BLOCK, Action.FLAG)
        screener = Screener([policy], None, Metrics(), cache=ScoreCache(1 << 20, Metrics()))
        items = [turn(0, "user", "an attack")]
        for _ in range(2):
            assert (await screener.screen(items)).action is Action.BLOCK
        await screener.finish()
    assert len(model.requests) == 1


VERSIONS: list[dict[str, object]] = [
    {},
    {"model": "other"},
    {"safe": ["good"]},
    {"logprobs": "top"},
    {"input": "conversation"},
    {"window_characters": 100},
    {"preset": "llama-guard-3"},
    CLASSES,
    {**CLASSES, "multi_label": True},
    MODERATIONS,
]


def test_whatever_decides_a_score_changes_the_version() -> None:
    versions = [load(section(**keys), Context("remote")).version for keys in VERSIONS]
    assert len(set(versions)) == len(versions)
    other = section("http://127.0.0.1:10", timeout_s=1)
    assert load(other, Context("remote")).version == versions[0]


def test_the_configuration_has_the_kind() -> None:
    keys = {"kind": "remote", "url": "http://127.0.0.1:9", "model": "guard", **CLASSES}
    settings = Settings.model_validate(
        {
            "upstream": {"url": "http://127.0.0.1:8000"},
            "detectors": {"guard": keys},
            "policies": [{"name": "guard", "detector": "guard", "action": "block"}],
        }
    )
    _, detectors = load_detectors(settings)
    assert detectors["guard"].waits


@pytest.mark.parametrize(
    ("keys", "key", "said"),
    [
        ({"preset": "lama-guard-3"}, "preset", "did you mean 'llama-guard-3'"),
        ({"preset_file": "/nowhere.yaml"}, "preset_file", "No such file"),
        ({"api_key_env": "NO_SUCH_KEY"}, "api_key_env", "NO_SUCH_KEY is not set"),
        ({"tls": {"ca": "/nowhere.pem"}}, "tls.ca", "No such file"),
    ],
)
def test_what_cannot_be_loaded_names_its_key(keys: dict[str, object], key: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        load_source(section(**keys), Context("guard"))
    assert ".".join(map(str, error.value.key)) == f"detectors.guard.{key}"


def test_the_key_comes_from_the_environment_only() -> None:
    assert not {"api_key", "key", "token"} & RemoteDetector.model_fields.keys()
