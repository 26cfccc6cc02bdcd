"""Personal data of a fixed form, and where it stands."""

import sys

import pytest

from guard.detectors.context import Context
from guard.detectors.sensitive.personal_data import PersonalData, load
from guard.settings import PersonalDataDetector
from guard.terms.errors import ConfigError

FOUND = {
    "EMAIL_ADDRESS": "jo.doe@example.org",
    "CREDIT_CARD": "4111 1111 1111 1111",
    "IBAN_CODE": "DE89 3704 0044 0532 0130 00",
    "PHONE_NUMBER": "+44 20 7946 0958",
}
HARMLESS = (
    "Write to me at the address below.",
    "4111 1111 1111 1112 has a wrong check digit.",
    "user@host is no address, and v1.2.3 no phone number.",
    "3.14159 26535 89793",
    "2026-11-30T12:00:00Z",
    "",
)


def detector_of(**options: object) -> PersonalData:
    return load(
        PersonalDataDetector.model_validate({"kind": "personal-data", **options}), Context("pii")
    )


@pytest.fixture(scope="module")
def detector() -> PersonalData:
    return detector_of()


@pytest.mark.parametrize("kind", FOUND)
def test_it_is_found_where_it_stands(detector: PersonalData, kind: str) -> None:
    text = f"This is {FOUND[kind]}, as you know."

    assert detector.score([text])[0] >= detector.threshold
    assert FOUND[kind] in {text[start:end] for start, end in detector.spans(text)}
    alone = detector_of(entities=[kind])
    assert {text[start:end] for start, end in alone.spans(text)} == {FOUND[kind]}


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_such_thing_is_not(detector: PersonalData, text: str) -> None:
    assert detector.score([text])[0] < detector.threshold
    assert detector.spans(text) == ()


@pytest.mark.parametrize(
    ("regions", "found"),
    [
        (["US"], {"+44 20 7946 0958", "(415) 555-2671"}),
        (["DE"], {"+44 20 7946 0958", "030 901820"}),
        ([], {"+44 20 7946 0958"}),
    ],
)
def test_national_phone_numbers_are_those_of_the_countries(
    regions: list[str], found: set[str]
) -> None:
    text = "Call +44 20 7946 0958, or (415) 555-2671, or 030 901820."
    phones = detector_of(entities=["PHONE_NUMBER"], phone_regions=regions)

    assert {text[start:end] for start, end in phones.spans(text)} == found


def test_only_what_is_asked_for_is_found() -> None:
    cards = detector_of(entities=["CREDIT_CARD"])

    assert cards.score(list(FOUND.values())).tolist() == [0.0, 1.0, 0.0, 0.0]


def test_other_countries_have_kinds_of_their_own() -> None:
    pesel = detector_of(entities=["PL_PESEL"])

    assert pesel.score(["PESEL 44051401359", "44051401358"]).tolist() == [1.0, 0.0]


def test_a_kind_that_nobody_recognises_is_an_error_that_lists_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"SHOE_SIZE.*known: .*EMAIL_ADDRESS") as raised:
        detector_of(entities=["EMAIL_ADDRESS", "SHOE_SIZE"])

    assert "entities" in str(raised.value)


def test_its_version_follows_what_is_asked_for() -> None:
    assert detector_of().version == detector_of().version
    assert detector_of().version != detector_of(entities=["CREDIT_CARD"]).version


def test_nothing_is_looked_up_in_the_network(detector: PersonalData) -> None:
    asked: list[object] = []

    def listen(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith("socket."):
            asked.append((event, arguments))

    sys.addaudithook(listen)  # for as long as the process lives: it costs next to nothing
    detector.score(["new.name@example.co.uk", "another@brand-new.museum"])

    assert asked == []
