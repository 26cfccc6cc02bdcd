"""Personal data of a fixed form, found by Presidio's recognisers.

Only those that follow from patterns and check digits: names of people and places need a language
model, which a remote detector can be. No recogniser is used that would look anything up.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from guard.detectors.context import Context
from guard.detectors.sensitive.placed import Find, PlacingDetector
from guard.settings import PersonalDataDetector, require_extra
from guard.terms.errors import ConfigError, about

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer

LANGUAGES = ("en", "de", "es", "fi", "fr", "it", "ko", "nl", "pl", "pt", "sv", "th", "tr")
"""Those that have forms of their own in Presidio: which one a text is in does not matter."""
UNWANTED = frozenset({"DATE_TIME", "LOCATION", "NRP", "ORGANIZATION", "PERSON", "URL"})
"""What is no personal data by its form, or needs a model."""

PHONES = "PHONE_NUMBER"
STRICT_GROUPING = 2
"""phonenumbers' `Leniency`."""


class PersonalData(PlacingDetector):
    """Scores a text by the surest find among some kinds of personal data."""

    def __init__(
        self,
        recognisers: Sequence["EntityRecognizer"],
        confidence: float,
        regions: Sequence[str] = (),
    ) -> None:
        self._recognisers = tuple(recognisers)
        self.threshold = confidence
        kinds = sorted({kind for each in recognisers for kind in each.supported_entities})
        self.version = " ".join(
            ("personal-data", version("presidio-analyzer"), *kinds, *regions, str(confidence))
        )
        # An IBAN or a phone number with its spaces; e-mail addresses are seldom longer.
        self.reach = 64

    def finds(self, text: str) -> Iterator[Find]:
        """What the recognisers say, with Presidio's confidence."""
        for recogniser in self._recognisers:
            for found in recogniser.analyze(text, recogniser.supported_entities, None) or ():
                yield Find(found.start, found.end, found.score)


def load(source: PersonalDataDetector, context: Context) -> PersonalData:
    """The detector of a section of kind `personal-data`."""
    require_extra("sensitive")
    known = recognisers_by_kind()
    if unknown := sorted(set(source.entities) - known.keys()):
        with about("detectors", context.name, "entities"):
            named = ", ".join(sorted(known))
            raise ConfigError(f"nobody recognises {', '.join(unknown)} (known: {named})")
    chosen = {id(each): each for kind in source.entities for each in known[kind]}
    for each in chosen.values():
        if PHONES in each.supported_entities:
            chosen[id(each)] = _of_phones(source.phone_regions)
    found = tuple(chosen.values())
    return PersonalData(found, source.confidence, source.phone_regions)


@cache
def recognisers_by_kind() -> dict[str, tuple["EntityRecognizer", ...]]:
    """Presidio's recognisers by what they recognise, each once though it knows several languages;
    takes a second."""
    from presidio_analyzer import RecognizerRegistry

    registry = RecognizerRegistry(supported_languages=list(LANGUAGES))
    registry.load_predefined_recognizers(languages=list(LANGUAGES))
    found: dict[str, dict[type, EntityRecognizer]] = {}
    for each in registry.recognizers:
        kinds = set(each.supported_entities)
        if kinds & UNWANTED:
            continue
        for kind in kinds:
            found.setdefault(kind, {}).setdefault(type(each), each)
    return {kind: tuple(map(_offline, by_type.values())) for kind, by_type in found.items()}


def _of_phones(regions: Sequence[str]) -> "EntityRecognizer":
    """Numbers with their country's, and those of some countries, grouped as they are there."""
    from presidio_analyzer.predefined_recognizers import PhoneRecognizer

    # Without a country only what begins with `+` is a number.
    return PhoneRecognizer(supported_regions=regions or (None,), leniency=STRICT_GROUPING)


def _offline(recogniser: "EntityRecognizer") -> "EntityRecognizer":
    """The same recogniser; that of e-mail addresses would fetch a list of domains at first use."""
    if recogniser.supported_entities != ["EMAIL_ADDRESS"]:
        return recogniser
    from presidio_analyzer.predefined_recognizers import EmailRecognizer
    from tldextract import TLDExtract

    domains = TLDExtract(cache_dir=None, suffix_list_urls=())

    class OfflineEmailRecognizer(EmailRecognizer):  # type: ignore[misc]  # Presidio has no types
        """Knows the domains that its library came with."""

        def validate_result(self, pattern_text: str) -> bool:
            """Whether the address ends in a domain that there can be."""
            return bool(domains(pattern_text).top_domain_under_public_suffix)

    return OfflineEmailRecognizer()
