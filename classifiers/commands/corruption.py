"""`ecoguard-train corruption`: learns how a model's prompts are corrupted, through its endpoint."""

from collections.abc import Callable
from contextlib import nullcontext
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from classifiers.commands.options import Engine, OutFolder, RayAddress, show
from classifiers.corruption.learning import MakeEvaluate, Sources, learn_corruption
from classifiers.corruption.questions import read_questions
from classifiers.corruption.ray_candidates import OpenEndpoint, ray_candidates
from classifiers.corruption.recipe import CorruptionRecipe
from classifiers.corruption.search import SearchPlan
from classifiers.forget.request import read_request
from classifiers.model_server.endpoint import CONNECTIONS, ModelEndpoint
from classifiers.model_server.sampling import Sampling
from classifiers.runs.ray_session import LOCAL
from classifiers.runs.step_progress import step_progress
from guard.corruption.functions import Corruption
from guard.settings import secret
from guard.terms.corruption import CorruptionKind
from guard.terms.errors import ConfigError

app = typer.Typer()

RECIPE = CorruptionRecipe()
PLAN = SearchPlan()
SAMPLING = Sampling()
MODEL = "The name it is served under, where the server has several."


class Tokens(StrEnum):
    """Which tokens of a question are corrupted."""

    NAMES = "names"
    ALL = "all"


QuestionFile = Annotated[Path, typer.Argument(help="JSON Lines in TOFU's columns, plain or .gz.")]
UrlOption = Annotated[str, typer.Option(help="The model's vLLM, such as http://127.0.0.1:8000.")]
ModelName = Annotated[str | None, typer.Option(help=MODEL)]
ModelFolderOption = Annotated[
    Path | None, typer.Option(help="Its folder; default: what the server says.")
]
ReferenceUrlOption = Annotated[
    str | None, typer.Option(help="A twin that never learned what is to be forgotten.")
]
ReferenceOption = Annotated[
    Path | None, typer.Option(help="YAML with the metrics' values, where there is no twin.")
]
RequestOption = Annotated[
    Path | None, typer.Option(help="Forget request: its names give a surrogate reference.")
]
OptimizerOption = Annotated[
    str, typer.Option(help="A name of nevergrad's registry, finite-difference or paper-settings.")
]
BudgetOption = Annotated[
    int, typer.Option(min=2, max=10_000, help="The most candidates measured, finalists included.")
]
WorkersOption = Annotated[int, typer.Option(min=1, max=64, help="Candidates measured at a time.")]
FinalistsOption = Annotated[
    int, typer.Option(min=1, help="The best, measured on all questions at the end.")
]
ToleranceOption = Annotated[
    float, typer.Option(min=0, help="Ends the search when a candidate is as near.")
]
PatienceOption = Annotated[
    int, typer.Option(min=1, help="Ends it after so many candidates without a better one.")
]
KindOption = Annotated[list[str] | None, typer.Option(help="Try these kinds alone.")]
StartOption = Annotated[
    str | None, typer.Option(help="KIND,DIMS,STRENGTH where finite-difference starts.")
]
SearchQuestionsOption = Annotated[int, typer.Option(min=0, help="Questions of the search; 0: all.")]
KeysOption = Annotated[
    int, typer.Option(min=0, max=100, help="Other noise keys the winner is measured under.")
]
WeightOption = Annotated[list[str] | None, typer.Option(help="METRIC=WEIGHT; 0: not asked.")]
ScaleOption = Annotated[list[str] | None, typer.Option(help="METRIC=DIFFERENCE that counts 1.")]
SamplesOption = Annotated[int, typer.Option(min=0, help="Sampled answers to each; 0: none.")]
TemperatureOption = Annotated[float, typer.Option(min=0.01, help="Of sampled answers.")]
MaxTokensOption = Annotated[int, typer.Option(min=1, help="Of each answer.")]
TokensOption = Annotated[
    Tokens, typer.Option(help="Corrupt names alone or all tokens: as `corruption.tokens` says.")
]
SeedOption = Annotated[
    int, typer.Option(min=0, help="Of the optimiser, the noise and the samples.")
]
TraceOption = Annotated[
    Path | None, typer.Option(help="The search's trace; default: OUT.trace.sqlite.")
]
ConnectionsOption = Annotated[
    int, typer.Option(min=1, max=256, help="Requests in flight for each server.")
]
ApiKeyEnvOption = Annotated[
    str | None, typer.Option(help="The environment variable with the servers' API key.")
]
EngineOption = Annotated[Engine, typer.Option(help="Measure here, or on Ray's workers.")]


@app.command()
def corruption(
    questions: QuestionFile,
    url: UrlOption,
    out: OutFolder,
    model: ModelName = None,
    model_folder: ModelFolderOption = None,
    reference_url: ReferenceUrlOption = None,
    reference_model: ModelName = None,
    reference: ReferenceOption = None,
    request: RequestOption = None,
    optimizer: OptimizerOption = RECIPE.optimizer,
    budget: BudgetOption = PLAN.budget,
    workers: WorkersOption = PLAN.workers,
    finalists: FinalistsOption = PLAN.finalists,
    tolerance: ToleranceOption = PLAN.tolerance,
    patience: PatienceOption = PLAN.patience,
    kind: KindOption = None,
    start: StartOption = None,
    search_questions: SearchQuestionsOption = RECIPE.questions,
    keys: KeysOption = RECIPE.keys,
    weight: WeightOption = None,
    scale: ScaleOption = None,
    samples: SamplesOption = 0,
    temperature: TemperatureOption = SAMPLING.temperature,
    max_tokens: MaxTokensOption = RECIPE.max_tokens,
    tokens: TokensOption = Tokens.NAMES,
    seed: SeedOption = RECIPE.seed,
    trace: TraceOption = None,
    connections: ConnectionsOption = CONNECTIONS,
    api_key_env: ApiKeyEnvOption = None,
    engine: EngineOption = Engine.PROCESS,
    ray_address: RayAddress = LOCAL,
) -> None:
    """Learn the corruption of a served model; an interrupted search goes on from its trace."""
    recipe = CorruptionRecipe(
        optimizer=optimizer,
        plan=SearchPlan(budget, workers, finalists, tolerance, patience),
        kinds=tuple(kind or RECIPE.kinds),
        start=_start(start) if start else None,
        questions=search_questions,
        keys=keys,
        weights={**RECIPE.weights, **_numbers("weight", weight or [])},
        scales={**RECIPE.scales, **_numbers("scale", scale or [])},
        max_tokens=max_tokens,
        sampling=Sampling(samples, temperature, seed) if samples else None,
        seed=seed,
        tokens=tokens.value,
    )
    open_endpoint = _opener(api_key_env, connections)
    here = partial(open_endpoint, url, model)
    there = partial(open_endpoint, reference_url, reference_model) if reference_url else nullcontext
    trace = trace or out.with_name(f"{out.name}.trace.sqlite")
    with here() as endpoint, there() as twin, step_progress(True) as report:
        rows, folder = read_questions(questions), model_folder or Path(endpoint.served.root)
        sources = Sources(twin, reference, _names(request))
        told, measure = partial(report, "evaluations"), _engine(engine, here, ray_address)
        learned = learn_corruption(
            rows, endpoint, sources, folder, out, trace, recipe, told, measure
        )
    show(learned)


def _names(request: Path | None) -> tuple[str, ...]:
    return read_request(request).evidence if request else ()


def _opener(api_key_env: str | None, connections: int) -> Callable[..., ModelEndpoint]:
    token = secret(api_key_env) if api_key_env else None
    return partial(ModelEndpoint, api_key=token, connections=connections)


def _engine(engine: Engine, open_endpoint: OpenEndpoint, address: str) -> MakeEvaluate:
    if engine is Engine.PROCESS:
        return nullcontext
    return partial(ray_candidates, open_endpoint=open_endpoint, address=address)


def _numbers(option: str, entries: list[str]) -> dict[str, float]:
    found = {}
    for entry in entries:
        name, _, value = entry.partition("=")
        if name not in RECIPE.scales:
            raise ConfigError(f"--{option} {entry}: expected one of {', '.join(RECIPE.scales)}")
        try:
            found[name] = float(value)
        except ValueError:
            raise ConfigError(f"--{option} {entry}: expected METRIC=NUMBER") from None
        if option == "scale" and not found[name] > 0:
            raise ConfigError(f"--{option} {entry}: expected a number above 0")
    return found


def _start(entry: str) -> Corruption:
    try:
        kind, dims, strength = entry.split(",")
        chosen: CorruptionKind = kind  # type: ignore[assignment]  # Corruption checks it
        return Corruption(chosen, int(dims), float(strength))
    except ValueError:
        raise ConfigError(f"--start {entry}: expected KIND,DIMS,STRENGTH") from None
