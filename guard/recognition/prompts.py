"""System prompts that the operator knows: pinned by keyed hash, judged as attacks no more."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from guard.recognition.digests import Digester
from guard.recognition.pin_file import read_pins
from guard.settings import Recognition
from guard.terms.errors import ConfigError, about
from guard.terms.item import Item

SYSTEM_ROLES = frozenset({"system", "developer"})
PURPOSE = "prompts"


@dataclass(frozen=True, slots=True)
class PinnedPrompts:
    """The hashes of what is pinned, and what makes them; `digester` is None where no request needs
    one."""

    digester: Digester | None = None
    digests: frozenset[bytes] = frozenset()

    @classmethod
    def load(cls, settings: Recognition) -> Self:
        """What the configuration's file pins; blocking. ConfigError names what is wrong."""
        if settings.prompts is None and settings.proposals is None:
            return cls()
        digester = prompt_digester(settings)
        with about("recognition", "prompts"):
            pins = read_pins(settings.prompts).digests if settings.prompts else frozenset[bytes]()
        return cls(digester, pins)

    def digest(self, text: str) -> bytes | None:
        """The hash of a prompt; white space around it does not count."""
        return self.digester.digest([text.strip()]) if self.digester else None

    def look(self, items: Iterable[Item]) -> tuple[list[int], list[int]]:
        """The places of the system prompts among items that are pinned, and of others; nothing
        where nothing is pinned."""
        known: list[int] = []
        unknown: list[int] = []
        for place, digest in self.prompts(items) if self.digests else ():
            (known if digest in self.digests else unknown).append(place)
        return known, unknown

    def prompts(self, items: Iterable[Item]) -> Iterator[tuple[int, bytes]]:
        """The system prompts among items, by place and hash."""
        for place, item in enumerate(items):
            if item.role in SYSTEM_ROLES and "content" in item.path and item.text.strip():
                digest = self.digest(item.text)
                if digest is not None:
                    yield place, digest


NOTHING_PINNED = PinnedPrompts()


def prompt_digester(settings: Recognition) -> Digester:
    """What hashes prompts; ConfigError where nobody could know a hash again: without a secret."""
    digester = Digester.of(settings, PURPOSE)
    if not digester.shared:
        with about("recognition", "key_env"):
            said = f"the environment variable {settings.key_env} is not set: prompts need it"
            raise ConfigError(said)
    return digester
