"""Attack families and hard benign prompts, by source and kind: a YAML file, or the one shipped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from classifiers.malicious.data.templates import load
from classifiers.prompts.labelled import LabelledPrompt
from guard.settings.document import Document
from guard.terms.errors import ConfigError

OTHER = "other"
ATTACKS, HARD, TOGETHER = "attacks", "hard_benign", "held_out_together"


@dataclass(frozen=True, slots=True)
class PromptFamilies:
    """Entries (`source`, `source/kind`, `*/kind`) and what they name; sources and their groups."""

    attacks: Mapping[str, str]
    hard: frozenset[str]
    groups: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path | None = None) -> "PromptFamilies":
        """The families in `file`, else those shipped; ConfigError names file and key."""
        if file is None:
            return _families("prompt_families.yaml", load("prompt_families", __package__))
        return _families(str(file), Document.read(file).content)

    def attack_family(self, prompt: LabelledPrompt) -> str:
        """The family of a malicious row, OTHER if nothing names it."""
        named = (self.attacks[entry] for entry in _entries(prompt) if entry in self.attacks)
        return next(named, OTHER)

    def is_hard(self, prompt: LabelledPrompt) -> bool:
        """Whether a benign row looks like an attack."""
        return any(entry in self.hard for entry in _entries(prompt))


def _entries(prompt: LabelledPrompt) -> tuple[str, str, str]:
    """What may name a row, the most particular first."""
    return f"{prompt.source}/{prompt.kind}", prompt.source, f"*/{prompt.kind}"


def _families(file: str, document: Any) -> PromptFamilies:
    keys = (ATTACKS, HARD, TOGETHER)
    if not isinstance(document, dict) or set(document) - set(keys):
        raise ConfigError(f"{file}: expected the keys {', '.join(keys)}")
    attacks = document.get(ATTACKS) or {}
    if not isinstance(attacks, dict):
        raise ConfigError(f"{file}: {ATTACKS}: expected lists by family")
    by_entry = {
        entry: str(family)
        for family, entries in attacks.items()
        for entry in _strings(file, f"{ATTACKS}.{family}", entries)
    }
    hard = frozenset(_strings(file, HARD, document.get(HARD) or []))
    return PromptFamilies(by_entry, hard, _groups(file, document.get(TOGETHER) or []))


def _groups(file: str, value: Any) -> dict[str, str]:
    """Each source of a list in `value`, and the first of that list as the group's name."""
    if not isinstance(value, list):
        raise ConfigError(f"{file}: {TOGETHER}: expected a list of lists")
    groups = [_strings(file, TOGETHER, sources) for sources in value]
    return {source: sources[0] for sources in groups for source in sources}


def _strings(file: str, key: str, value: Any) -> Sequence[str]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ConfigError(f"{file}: {key}: expected a list of strings")
    return value
