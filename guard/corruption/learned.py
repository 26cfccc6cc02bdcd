"""A corruption that was learned for one model, as an artifact: what `ecoguard-train corruption`
writes and serving loads."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from guard.artifacts.folder import Artifact, read
from guard.corruption.embedding_table import EmbeddingTable
from guard.corruption.functions import Corruption
from guard.settings import Settings
from guard.terms.corruption import CorruptedTokens
from guard.terms.errors import ArtifactError, ConfigError

KIND = "corruption"
MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class LearnedCorruption:
    """The corruption, the embedding table (its width and digest) it was learned on, and of which
    tokens."""

    corruption: Corruption
    width: int
    table: str
    folder: Path
    tokens: CorruptedTokens = "all"

    @classmethod
    def load(cls, folder: Path) -> Self:
        """From a verified artifact; ArtifactError names folder and field."""
        return cls.from_artifact(read(folder, KIND, limit=MAX_BYTES))

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Self:
        """From an artifact that was read or written just now."""
        recipe: dict[str, Any] = {
            "kind": artifact.recipe_value("kind", str),
            "dims": artifact.recipe_value("dims", int),
            "strength": artifact.recipe_value("strength", float),
        }
        try:
            corruption = Corruption(**recipe)
        except ConfigError as error:
            raise artifact.fail("recipe", str(error)) from error
        width, table = artifact.recipe_value("width", int), artifact.recipe_value("table", str)
        if not isinstance(width, int) or corruption.dims > width:
            raise artifact.fail("recipe.width", f"{width} does not fit {corruption.dims} dims")
        tokens = artifact.manifest.recipe.get("tokens", "all")  # which older ones do not say
        if tokens not in ("all", "names"):
            raise artifact.fail("recipe.tokens", f"expected all or names, found {tokens!r}")
        return cls(
            corruption, width, str(table), artifact.folder, "names" if tokens == "names" else "all"
        )

    def check_table(self, table: EmbeddingTable) -> None:
        """Raise ArtifactError where the model is not the one the corruption was learned for."""
        if table.width != self.width:
            raise ArtifactError(
                f"artifact {self.folder}: recipe.width: learned for hidden size {self.width}, "
                f"but {table.folder} has {table.width}"
            )
        if table.digest != self.table:
            raise ArtifactError(
                f"artifact {self.folder}: recipe.table: learned on other token embeddings than "
                f"those of {table.folder}: learn a corruption for that model"
            )


def tokens_of(settings: Settings, learned: LearnedCorruption | None) -> CorruptedTokens:
    """Which tokens of flagged texts are corrupted: as configured, as learned, or by default."""
    choice = settings.corruption
    if choice.tokens is not None:
        return choice.tokens
    if learned is not None:
        return learned.tokens
    return "all" if "kind" in choice.model_fields_set else "names"


def stated_corruption(settings: Settings) -> Corruption:
    """The corruption of a configuration: stated by it, or in the artifact that it names.

    Raises ArtifactError naming folder and field.
    """
    choice = settings.corruption
    if choice.path is not None:
        return LearnedCorruption.load(choice.path).corruption
    return Corruption(choice.kind, choice.dims, choice.strength)
