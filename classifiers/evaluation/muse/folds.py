"""Growing and successive forget requests: MUSE's scalability and sustainability.

The forget passages are dealt into folds. Scalability: one request over the first one, two, ...
folds. Sustainability: one request for each fold, added one after the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from classifiers.evaluation.muse.data import MuseData, Passage, Question
from classifiers.forget.training import ForgetRecipe, train_forget
from classifiers.prompts.files import Prompt
from guard.settings import ArtifactDetector, Settings
from guard.terms.detector import Encoder
from guard.terms.errors import ConfigError

Kind = Literal["scalability", "sustainability"]
FEATURES = "features"
_HALVES = 2


@dataclass(frozen=True, slots=True)
class Stage:
    """`asked` folds of all are to be forgotten, by the requests of these artifacts."""

    kind: Kind
    asked: int
    artifacts: tuple[Path, ...]


def passages_of(data: MuseData, folds: int, first: int, last: int) -> list[int]:
    """Numbers of the forget passages in folds `first` to `last` - 1: dealt like cards."""
    return [number for number in range(len(data.forget)) if first <= number % folds < last]


def forget_prompts(passages: Sequence[Passage], questions: Sequence[Question]) -> list[Prompt]:
    """How users may ask for passages: to continue them, by any part, by questions about them."""
    prompts = []
    for number, passage in enumerate(passages):
        texts = (passage.request, passage.prompt, passage.continuation)
        halves = (*_halves(passage.prompt), *_halves(passage.continuation))
        prompts += [Prompt(text, f"passage {number}") for text in (*texts, *halves)]
    return prompts + [Prompt(row.question, f"question {n}") for n, row in enumerate(questions)]


def _halves(text: str) -> list[str]:
    words = text.split()
    middle = len(words) // _HALVES
    return [" ".join(part) for part in (words[:middle], words[middle:]) if part]


def train_stages(
    data: MuseData, folds: int, encoder: Encoder, folder: Path, recipe: ForgetRecipe | None = None
) -> list[Stage]:
    """Trains every request that the two criteria need into `folder`; what is there is used."""

    def train(first: int, last: int) -> Path:
        out = folder / f"folds-{first + 1}-to-{last}-of-{folds}"
        if not out.exists():
            forget, retain = _prompts(data, folds, first, last)
            cache = folder / FEATURES
            train_forget(out.name, forget, retain, encoder, out, recipe=recipe, cache=cache)
        return out

    stages = []
    single = [train(number, number + 1) for number in range(folds)]
    for asked in range(1, folds + 1):
        whole = single[0] if asked == 1 else train(0, asked)
        stages.append(Stage("scalability", asked, (whole,)))
    for asked in range(1, folds + 1):
        stages.append(Stage("sustainability", asked, tuple(single[:asked])))
    return stages


def _prompts(
    data: MuseData, folds: int, first: int, last: int
) -> tuple[list[Prompt], list[Prompt]]:
    numbers = set(passages_of(data, folds, first, last))
    asked = [question for question in data.forget_questions if question.passage in numbers]
    forget = forget_prompts([data.forget[number] for number in sorted(numbers)], asked)
    return forget, forget_prompts(data.retain, data.retain_questions)


def guarded_by(settings: Settings, stage: Stage, action_of: str) -> Settings:
    """The configuration with the stage's requests in place of all detectors.

    Their policies are copies of policy `action_of`. Raises ConfigError where there is none.
    """
    model = next((policy for policy in settings.policies if policy.name == action_of), None)
    if model is None:
        raise ConfigError(f"policies: there is no policy {action_of}")
    names = [f"request-{number + 1}" for number in range(len(stage.artifacts))]
    detectors = {
        name: ArtifactDetector(kind="artifact", path=path)
        for name, path in zip(names, stage.artifacts, strict=True)
    }
    policies = tuple(model.model_copy(update={"name": n, "detector": n}) for n in names)
    return settings.model_copy(update={"detectors": detectors, "policies": policies})
