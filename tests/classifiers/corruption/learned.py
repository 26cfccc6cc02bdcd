"""What tests of learning a corruption share: answers, a short recipe, a reference."""

from pathlib import Path

from classifiers.corruption.learning import Sources
from classifiers.corruption.measures import FAMILIES
from classifiers.corruption.recipe import CorruptionRecipe
from classifiers.corruption.search import SearchPlan

NAMES = ["Ann", "Bea Lu", "Cy", "Dora"]
ANSWERS = {f"Who is {name}?": f"{name} is a baker of rye bread in Oslo." for name in NAMES}
PLAN = SearchPlan(budget=14, workers=2, finalists=2, tolerance=0.0, patience=14)
RECIPE = CorruptionRecipe(
    plan=PLAN,
    questions=2,
    keys=1,
    weights=dict.fromkeys(FAMILIES, 1.0),
    scales=dict.fromkeys(FAMILIES, 0.1),
)


def given(tmp_path: Path, content: str = "{rouge: 0.5, probability: 0.5, leak: 0}") -> Sources:
    file = tmp_path / "reference.yaml"
    file.write_text(content)
    return Sources(file=file)
