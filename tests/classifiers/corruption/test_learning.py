"""A corruption learned through a fake vLLM over real HTTP, from questions to served artifact."""

from pathlib import Path

import orjson
import pytest

from classifiers.corruption.learning import Sources, learn_corruption
from classifiers.corruption.measures import BY_ATTACK, METRICS, SAMPLED, WEIGHTS
from classifiers.corruption.questions import ForgetQuestion
from classifiers.corruption.recipe import CorruptionRecipe
from classifiers.model_server.endpoint import ModelEndpoint
from classifiers.model_server.sampling import Sampling
from guard.artifacts.folder import Artifact
from guard.artifacts.manifest import PAGE
from guard.corruption.embedding_table import EmbeddingTable
from guard.corruption.learned import LearnedCorruption
from guard.terms.errors import ConfigError
from tests.chat_server import ChatServer, chat_server
from tests.classifiers.corruption.learned import ANSWERS, NAMES, PLAN, RECIPE, given


def learn(
    server: ChatServer,
    rows: list[ForgetQuestion],
    out: Path,
    sources: Sources,
    recipe: CorruptionRecipe = RECIPE,
) -> Artifact:
    with ModelEndpoint(server.url) as endpoint:
        return learn_corruption(
            rows, endpoint, sources, server.folder, out, out.with_suffix(".jsonl"), recipe
        )


def test_what_is_learned_is_served_and_resumed_without_asking_again(
    server: ChatServer, rows: list[ForgetQuestion], tmp_path: Path
) -> None:
    artifact = learn(server, rows, tmp_path / "a", given(tmp_path))
    learned = LearnedCorruption.load(tmp_path / "a")
    learned.check_table(EmbeddingTable.open(server.folder))
    report = orjson.loads(artifact.bytes_of("report.json"))
    assert report["corruption"]["dims"] == learned.corruption.dims
    assert report["evaluations"] <= PLAN.budget
    assert report["questions"] == {"search": 2, "all": 4}
    assert report["reference"] == {"rouge": 0.5, "probability": 0.5, "leak": 0.0}
    assert "truth_ratio" not in report["metrics"], "the reference lacks it, so nobody asked"
    assert report["uncorrupted"]["rouge"] == 1.0
    best = min(row["distance"] for row in report["trace"] if row["stage"] == "full")
    assert artifact.manifest.metrics["distance"] == best < 4
    assert artifact.manifest.metrics["requests"] > 0
    page = artifact.bytes_of(PAGE).decode()
    assert page.count("data:image/svg+xml") == 3
    assert not [q for q in ANSWERS if q in page], "no prompt in the report"
    trace = (tmp_path / "a.jsonl").read_bytes()
    again = learn(server, rows, tmp_path / "b", given(tmp_path), RECIPE)
    assert LearnedCorruption.from_artifact(again).corruption == learned.corruption
    (tmp_path / "c.jsonl").write_bytes(trace)
    resumed = learn(server, rows, tmp_path / "c", given(tmp_path))
    assert LearnedCorruption.from_artifact(resumed).corruption == learned.corruption
    assert (tmp_path / "c.jsonl").read_bytes() == trace
    assert resumed.manifest.metrics["requests"] < artifact.manifest.metrics["requests"]


def test_a_twin_and_strangers_are_measured_as_references(
    server: ChatServer, rows: list[ForgetQuestion], tmp_path: Path
) -> None:
    unlearned = dict.fromkeys(ANSWERS, "I do not know that.")
    with (
        chat_server(tmp_path / "twin", unlearned) as other,
        ModelEndpoint(other.url) as twin,
    ):
        by_twin = learn(server, rows, tmp_path / "a", Sources(twin=twin))
    report = orjson.loads(by_twin.bytes_of("report.json"))
    assert report["reference_origin"] == "twin"
    assert report["reference"]["leak"] == 0.0
    assert set(report["reference"]) == set(METRICS) - set(SAMPLED)
    by_strangers = learn(server, rows, tmp_path / "b", Sources(names=NAMES))
    report = orjson.loads(by_strangers.bytes_of("report.json"))
    assert report["reference_origin"] == "strangers"
    assert report["reference"]["rouge"] < 0.5


def test_by_default_nothing_is_asked_for_that_a_corruption_cannot_move(
    server: ChatServer, rows: list[ForgetQuestion], tmp_path: Path
) -> None:
    artifact = learn(
        server, rows, tmp_path / "a", Sources(names=NAMES), CorruptionRecipe(plan=PLAN)
    )
    report = orjson.loads(artifact.bytes_of("report.json"))
    assert set(report["metrics"]) == {"rouge", "leak", "first_token", "certainty", *BY_ATTACK}
    assert not [request for request in server.requests if "prompt_logprobs" in request]
    given(tmp_path, "{rouge: 0.5, probability: 0.5}")
    with pytest.raises(ConfigError, match="probability: has no weight"):
        learn(server, rows, tmp_path / "b", given(tmp_path), CorruptionRecipe(plan=PLAN))


def test_all_candidates_and_the_twin_draw_the_same_answers(
    server: ChatServer, rows: list[ForgetQuestion], tmp_path: Path
) -> None:
    recipe = CorruptionRecipe(
        plan=PLAN, keys=0, weights={**WEIGHTS, "attacked": 0.0}, sampling=Sampling(3, 0.7, seed=5)
    )
    with (
        chat_server(tmp_path / "twin", dict.fromkeys(ANSWERS, "I do not know that.")) as other,
        ModelEndpoint(other.url) as twin,
    ):
        artifact = learn(server, rows, tmp_path / "a", Sources(twin=twin), recipe)
    report = orjson.loads(artifact.bytes_of("report.json"))
    assert report["reference"]["sampled_leak"] == 0.0
    assert set(report["metrics"]) >= set(SAMPLED)
    drawn = [request for request in (*server.requests, *other.requests) if request.get("n")]
    assert {(request["n"], request["temperature"]) for request in drawn} == {(3, 0.7)}
    seeds = {request["seed"] for request in drawn}
    assert len(seeds) == len(ANSWERS), "one for each question"
    assert seeds == {request["seed"] for request in other.requests if request.get("n")}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "the top level must be a mapping"),
        ("[1]", "the top level must be a mapping"),
        ("{}", "expected a mapping of"),
        ("{rouge: [", "not YAML"),
        ("{bleu: 0.5}", "bleu: expected one of"),
        ("{rouge: 1.5}", r"rouge: expected a number in \[0, 1\]"),
        ("{leak: true}", "leak: expected a number"),
    ],
)
def test_a_bad_reference_file_is_named(
    server: ChatServer, rows: list[ForgetQuestion], tmp_path: Path, content: str, problem: str
) -> None:
    with pytest.raises(ConfigError, match=rf"reference\.yaml(:1)?: {problem}"):
        learn(server, rows, tmp_path / "a", given(tmp_path, content))
    assert not (tmp_path / "a").exists()


def test_what_lacks_is_named(
    server: ChatServer, rows: list[ForgetQuestion], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="reference: give"):
        learn(server, rows, tmp_path / "a", Sources())
    weightless = CorruptionRecipe(weights=dict.fromkeys(RECIPE.scales, 0.0))
    with pytest.raises(ConfigError, match="weight: no metric"):
        learn(server, rows, tmp_path / "a", given(tmp_path), weightless)
    with pytest.raises(ConfigError, match=r"no-such\.yaml: No such file"):
        learn(server, rows, tmp_path / "a", Sources(file=tmp_path / "no-such.yaml"))
