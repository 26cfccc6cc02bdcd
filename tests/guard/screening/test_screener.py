"""The screener: verdicts from real pieces, and every way in which a detector can fail."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from guard.detectors.calibration import Calibration
from guard.observability.metrics import Metrics
from guard.screening.policy import Policy
from guard.screening.score_cache import ScoreCache
from guard.screening.screener import Screener
from guard.terms.detector import Detector, Encoder, Features, Scores
from guard.terms.item import AUTHORS, Author, Item
from guard.terms.thresholds import Steps, Thresholds
from guard.terms.verdict import Action, Verdict
from tests.fakes import FailingDetector, FeatureGiver, HangingDetector, WordDetector
from tests.turns import turns


def policy(
    detector: Detector,
    action: Action = Action.BLOCK,
    on_error: Action = Action.BLOCK,
    *,
    shadow: bool = False,
    name: str = "p",
) -> Policy:
    return Policy(name, "d", detector, detector.threshold, action, on_error, shadow)


def items(*texts: str) -> list[Item]:
    return [Item(("messages", i), "user", text, True) for i, text in enumerate(texts)]


def written(**texts: str) -> list[Item]:
    """An item of each author's."""
    return [
        Item(("messages", i, "content"), "user", text, True, author)
        for i, (author, text) in enumerate((a, texts[a]) for a in AUTHORS if a in texts)
    ]


@asynccontextmanager
async def screening(
    *policies: Policy,
    encoder: Encoder | None = None,
    seconds: float = 5,
    queue: int = 8,
    cache_bytes: int = 0,
) -> AsyncIterator[Screener]:
    cache = ScoreCache(cache_bytes, Metrics())
    screener = Screener(policies, encoder, Metrics(), timeout=seconds, queue=queue, cache=cache)
    try:
        yield screener
    finally:
        screener.close()


async def verdict_on(policies: Sequence[Policy], *texts: str) -> Verdict:
    async with screening(*policies) as screener:
        return await screener.screen(items(*texts))


@pytest.mark.parametrize(
    ("texts", "flagged"),
    [
        (["harmless"], ()),
        (["harmless", "an attack"], (1,)),
        (["attack", "x", "attack"], (0, 2)),
        (["ａｔｔａｃｋ"], (0,)),
        (["a\u200bttack"], (0,)),
        (["YXR0YWNrIHRoZSBtb2RlbCBub3csIHBsZWFzZQ=="], (0,)),
        (["padding " * 2000 + "attack" + " padding" * 2000], (0,)),
    ],
    ids=["benign", "second", "two", "fullwidth", "zero width", "base64", "padded"],
)
async def test_spans_are_judged_through_views_and_windows(
    texts: list[str], flagged: tuple[int, ...]
) -> None:
    verdict = await verdict_on([policy(WordDetector("attack"))], *texts)

    assert verdict.items(Action.BLOCK) == flagged
    assert verdict.action is (Action.BLOCK if flagged else Action.ALLOW)


@dataclass
class Reader(Detector):
    """Notes in `order` that it was asked."""

    name: str
    order: list[str]
    threshold: float = 0.5
    encoder: str | None = None
    version: str = ""

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:  # noqa: ARG002
        self.order.append(self.name)
        return np.full(len(texts), self.threshold if self.name == "last" else 0, np.float32)


class Giver(Reader, FeatureGiver):
    """One whose features are the encoder's."""


@dataclass
class NoEncoder(Encoder):
    """An encoder whose features are somebody else's to give."""

    digest: str = "e"
    width: int = 1
    window_tokens: int = 100

    def encode(self, texts: Sequence[str]) -> Features:
        raise AssertionError(texts)

    def windows(self, text: str, size: int, stride: int) -> list[tuple[int, int]]:  # noqa: ARG002
        return [(0, len(text))]


def test_who_gives_features_reads_first_and_findings_keep_their_order() -> None:
    order: list[str] = []
    features = Reader("of features", order, encoder="e")
    chosen = [
        policy(Reader("plain", order), name="a"),
        policy(features, name="b"),
        policy(Giver("last", order), name="c"),
    ]
    screener = Screener(chosen, NoEncoder(), Metrics())
    found = screener.judge(items("hello"))
    screener.close()

    assert order == ["last", "plain", "of features"]
    assert [finding.policy for finding in found] == ["a", "b", "c"]
    assert [finding.action for finding in found] == [Action.ALLOW, Action.ALLOW, Action.BLOCK]
    assert not any(finding.failed for finding in found)


async def test_prompt_split_over_turns_is_seen_and_all_its_turns_are_named() -> None:
    verdict = await verdict_on(
        [policy(WordDetector("build the\nbomb"))], "hello", "build the", "bomb"
    )

    assert {1, 2} <= set(verdict.items(Action.BLOCK))


async def test_decoy_turn_does_not_shield_a_prompt_split_over_others() -> None:
    """The decoy fires alone; the split prompt must be found among the turns that are left."""
    texts = ["build the\nbomb", "build the", "bomb", "hello"]

    verdict = await verdict_on([policy(WordDetector("build the\nbomb"))], *texts)

    assert verdict.items(Action.BLOCK)[:3] == (0, 1, 2)


async def test_most_severe_action_wins_and_all_findings_are_kept() -> None:
    policies = [
        policy(WordDetector("one"), Action.FLAG),
        policy(WordDetector("two"), Action.CORRUPT),
        policy(WordDetector("three"), Action.BLOCK),
    ]

    verdict = await verdict_on(policies, "one two")

    assert verdict.action is Action.CORRUPT
    assert [finding.action for finding in verdict.findings] == [Action.FLAG, Action.CORRUPT]
    assert verdict.cause is verdict.findings[1]


@pytest.mark.parametrize("on_error", [Action.ALLOW, Action.FLAG, Action.BLOCK])
async def test_failing_detector_becomes_a_finding(
    on_error: Action, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        verdict = await verdict_on([policy(FailingDetector(), on_error=on_error)], "private words")

    assert verdict.action is on_error
    assert [finding.failed for finding in verdict.findings] == [True]
    assert "RuntimeError" in caplog.text
    assert "private words" not in caplog.text


async def test_hanging_detector_times_out_then_overload_fails_at_once() -> None:
    detector = HangingDetector()
    async with screening(policy(detector), seconds=0.05, queue=1) as screener:
        late = [await screener.screen(items("a")) for _ in range(2)]
        async with asyncio.timeout(1):
            refused = await screener.screen(items("b"))
        detector.released.set()

    assert [verdict.action for verdict in (*late, refused)] == [Action.BLOCK] * 3


async def test_slots_are_given_back_after_a_hang() -> None:
    detector = HangingDetector()
    async with screening(policy(detector), seconds=0.05, queue=1) as screener:
        await screener.screen(items("a"))
        detector.released.set()
        for _ in range(20):
            verdict = await screener.screen(items("b"))

    assert verdict.action is Action.ALLOW


@dataclass
class CountingEncoder(Encoder):
    """One feature, the text's length; counts its calls, or fails."""

    fails: bool = False
    calls: list[int] = field(default_factory=list)
    digest: str = "e"
    width: int = 1
    window_tokens: int = 100

    def windows(self, text: str, size: int, stride: int) -> list[tuple[int, int]]:
        return [(start, start + size) for start in range(0, len(text), stride)]

    def encode(self, texts: Sequence[str]) -> Features:
        if self.fails:
            raise MemoryError
        self.calls.append(len(texts))
        return np.array([[len(text)] for text in texts], dtype=np.float32)


@dataclass
class LengthDetector(Detector):
    """Fires for texts longer than 10 characters, by their features."""

    threshold: float = 0.5
    encoder: str | None = "e"
    version: str = ""

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:
        assert features is not None
        assert len(features) == len(texts)
        return np.asarray(features[:, 0] > 10, dtype=np.float32)


async def test_texts_are_encoded_once_for_all_detectors() -> None:
    encoder = CountingEncoder()
    policies = [policy(LengthDetector()), policy(LengthDetector(), Action.FLAG)]
    async with screening(*policies, encoder=encoder) as screener:
        verdict = await screener.screen(items("short", "rather a long text"))

    assert len(encoder.calls) == 1
    assert 1 in verdict.items(Action.BLOCK)


async def test_dense_texts_are_cut_until_the_encoder_reads_all_of_them() -> None:
    encoder = CountingEncoder()
    async with screening(policy(LengthDetector()), encoder=encoder) as screener:
        await screener.screen(items("".join(chr(0x4E00 + i) for i in range(250))))

    assert encoder.calls == [4]


async def test_failing_encoder_fails_only_the_policies_that_need_it() -> None:
    policies = [policy(LengthDetector(), on_error=Action.FLAG), policy(WordDetector("attack"))]
    async with screening(*policies, encoder=CountingEncoder(fails=True)) as screener:
        verdict = await screener.screen(items("an attack"))

    assert [(f.action, f.failed) for f in verdict.findings] == [
        (Action.FLAG, True),
        (Action.BLOCK, False),
    ]


async def test_encoder_rests_when_no_policy_reads_features() -> None:
    encoder = CountingEncoder()
    async with screening(policy(WordDetector("attack")), encoder=encoder) as screener:
        await screener.screen(items("hello"))

    assert encoder.calls == []


async def test_nothing_to_screen_is_allowed() -> None:
    async with screening(policy(WordDetector("attack"))) as screener:
        assert (await screener.screen([])).action is Action.ALLOW


SEVERITY = [Action.ALLOW, Action.FLAG, Action.CORRUPT, Action.BLOCK]


@pytest.mark.parametrize(
    ("authors", "action"),
    [
        (frozenset(AUTHORS), Action.BLOCK),
        (frozenset({"developer"}), Action.BLOCK),
        (frozenset({"user", "third_party"}), Action.ALLOW),
    ],
)
async def test_a_policy_judges_its_authors(authors: frozenset[Author], action: Action) -> None:
    judging = replace(policy(WordDetector("attack")), authors=authors)
    async with screening(judging, cache_bytes=1 << 20) as screener:
        request = written(developer="refuse any attack", user="hello", third_party="a page")
        first = await screener.screen(request)
        again = await screener.screen(request)  # from the scores remembered of the request
    assert first.action is again.action is action
    assert first.items(Action.BLOCK) == ((0,) if action is Action.BLOCK else ())


@dataclass
class ShareDetector(Detector):
    """Scores a text by the share of its words that are bad."""

    threshold: float = 0.5

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:  # noqa: ARG002
        words = [text.split() for text in texts]
        return np.array([said.count("bad") / len(said) for said in words], dtype=np.float32)


async def test_thresholds_rise_with_what_is_read_and_by_author() -> None:
    detector = ShareDetector()
    detector.thresholds = Thresholds(
        Steps((1, 4), (0.5, 0.9)), {"third_party": Steps.constant(0.7)}
    )
    long = [Item(("messages", i, "content"), "user", f"turn {i}", True) for i in range(6)]
    cases = [
        (written(user="bad bad good"), Action.BLOCK),
        (written(third_party="bad bad good"), Action.ALLOW),
        (written(third_party="bad bad bad good"), Action.BLOCK),
        ([*long, Item(("messages", 6, "content"), "user", "bad bad good", True)], Action.ALLOW),
        ([*long, Item(("messages", 6, "content"), "user", "bad " * 30, True)], Action.BLOCK),
    ]
    async with screening(policy(detector)) as screener:
        for request, expected in cases:
            assert (await screener.screen(request)).action is expected


async def test_other_authors_words_join_no_turns() -> None:
    """Half of what is looked for stands in the developer's message: nobody wrote it whole."""
    halves = written(developer="an att", user="ack on it")
    both = replace(policy(WordDetector("attack")), name="both")
    alone = replace(both, name="alone", authors=frozenset({"user"}))
    async with screening(both, alone) as screener:
        verdict = await screener.screen(halves)
    assert {finding.policy for finding in verdict.findings} <= {"both"}


@pytest.mark.parametrize("would", SEVERITY)
@pytest.mark.parametrize("action", SEVERITY)
async def test_shadow_findings_are_told_and_change_nothing(action: Action, would: Action) -> None:
    policies = [
        policy(WordDetector("attack"), would, shadow=True, name="new"),
        policy(WordDetector("attack"), action, name="old"),
    ]

    verdict = await verdict_on(policies, "harmless", "an attack")

    assert [(f.policy, f.action, f.shadow, f.items) for f in verdict.findings] == [
        ("new", would, True, (1,)),
        ("old", action, False, (1,)),
    ]
    assert verdict.action is action
    assert verdict.would is max(action, would)
    assert verdict.cause is verdict.findings[1]
    assert verdict.items(would) == ((1,) if would is action else ())


@pytest.mark.parametrize("detector", [FailingDetector(), LengthDetector()])
async def test_a_detector_that_fails_in_shadow_changes_nothing(detector: Detector) -> None:
    policies = [policy(detector, shadow=True), policy(WordDetector("attack"), Action.FLAG)]

    verdict = await verdict_on(policies, "an attack")

    assert [(f.shadow, f.failed) for f in verdict.findings] == [(True, True), (False, False)]
    assert verdict.action is Action.FLAG


async def test_a_detector_that_hangs_in_shadow_costs_the_others_no_verdict() -> None:
    hanging = HangingDetector()
    policies = [policy(hanging, shadow=True), policy(WordDetector("attack"))]
    async with screening(*policies, seconds=1) as screener:
        verdict = await screener.screen(items("an attack"))
        hanging.released.set()

    assert verdict.action is Action.BLOCK
    assert [finding.failed for finding in verdict.findings] == [True, False]


async def test_shadows_fill_a_queue_of_their_own() -> None:
    hanging = HangingDetector()
    policies = [policy(hanging, shadow=True), policy(WordDetector("attack"))]
    async with screening(*policies, seconds=30, queue=1) as screener:
        waiting = [asyncio.create_task(screener.screen(items("a")))]
        await asyncio.to_thread(hanging.entered.wait, 30)
        waiting.append(asyncio.create_task(screener.screen(items("b"))))
        await turns()  # so that it is before the next in both queues
        verdict = await screener.screen(items("an attack"))
        hanging.released.set()
        late = await asyncio.gather(*waiting)

    assert verdict.action is Action.BLOCK
    assert [finding.failed for finding in verdict.findings] == [True, False]
    assert [verdict.findings for verdict in late] == [(), ()]


async def test_time_that_has_run_out_is_not_given_to_shadows_again() -> None:
    hanging, shadow = HangingDetector(), CountingDetector()
    policies = [policy(hanging), policy(shadow, shadow=True)]
    async with screening(*policies, seconds=0.05) as screener:
        verdict = await screener.screen(items("a"))
        hanging.released.set()

    assert [finding.failed for finding in verdict.findings] == [True, True]
    assert shadow.read == []


@dataclass
class CountingDetector(Detector):
    """Scores by the text's length, has p-values, and notes what it read."""

    threshold: float = 0.5
    encoder: str | None = None
    version: str = ""
    calibration: Calibration | None = field(
        default_factory=lambda: Calibration([0.1, 0.2, 0.3], [0.7, 0.8, 0.9])
    )
    read: list[str] = field(default_factory=list)

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:  # noqa: ARG002
        self.read.extend(texts)
        return np.array([min(len(text) / 20, 1) for text in texts], dtype=np.float32)


async def test_one_detector_of_two_policies_reads_a_text_once() -> None:
    detector = CountingDetector()
    policies = [policy(detector), policy(detector, Action.FLAG, shadow=True)]

    await verdict_on(policies, "same", "same", "other")

    assert len(detector.read) == len(set(detector.read))


async def test_findings_say_how_unusual_the_highest_score_is() -> None:
    verdict = await verdict_on([policy(CountingDetector())], "rather long text", "x")

    (finding,) = verdict.findings
    assert finding.score == pytest.approx(0.9, abs=0.1)
    assert finding.p_benign == 0.25
    assert finding.p_malicious in (0.75, 1)


async def test_what_passed_is_in_the_verdict_beside_the_findings() -> None:
    policies = [policy(CountingDetector(), name="a"), policy(WordDetector("x"), name="b")]

    verdict = await verdict_on(policies, "x")

    assert [finding.policy for finding in verdict.findings] == ["b"]
    assert [(f.policy, f.p_benign, f.p_malicious) for f in verdict.passed] == [("a", 1, 0.25)]
    assert verdict.findings[0].p_benign is None


async def test_metrics_count_shadows_apart() -> None:
    metrics = Metrics()
    policies = [
        policy(WordDetector("attack"), name="new", shadow=True),
        policy(WordDetector("attack"), Action.FLAG, name="old"),
    ]
    screener = Screener(policies, None, metrics)
    for text in ("an attack", "harmless"):
        await screener.screen(items(text))
    screener.close()

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, labels)

    fired = {"policy": "new", "side": "prompt", "action": "block", "failed": "false"}
    assert value("ecoguard_shadow_findings_total", **fired) == 1
    assert value("ecoguard_findings_total", **fired) is None
    assert value("ecoguard_findings_total", **(fired | {"policy": "old", "action": "flag"})) == 1
    assert value("ecoguard_shadow_changes_total", side="prompt", action="flag", would="block") == 1
    assert value("ecoguard_score_count", policy="new") == 2


async def test_a_request_that_was_judged_is_judged_without_its_detectors() -> None:
    """By the same key; findings are equal, and looks into the cache are counted."""
    encoder, metrics = CountingEncoder(), Metrics()
    detector = LengthDetector(version="one")
    cache = ScoreCache(1 << 20, metrics)
    screener = Screener([policy(detector)], encoder, metrics, cache=cache)
    try:
        first = await screener.screen(items("short", "rather a long text"), owner="shop")
        calls = len(encoder.calls)
        again = await screener.screen(items("short", "rather a long text"), owner="shop")
        assert again == first
        assert len(encoder.calls) == calls
        await screener.screen(items("short", "rather a long text"), owner="other")
        assert len(encoder.calls) > calls
    finally:
        screener.close()
    hits = {"kind": "request", "result": "hit"}
    assert metrics.registry.get_sample_value("ecoguard_screening_cache_total", hits) == 1
