"""Names in other scripts."""

import pytest

from guard.detectors.names.matcher import NameIndex
from guard.detectors.names.romanised import ForeignNames, Sound, joined, romanised, sound_of

INDEX = NameIndex([("Dazela Kornebrek",), ("Tozur Zimolund",)])
FOREIGN = ForeignNames({"dazela kornebrek": {0}, "ann lee": {1}})


@pytest.mark.parametrize(
    "text",
    [
        "Где родилась Дазела Корнебрек?",
        "книги Дазелы Корнебрек",
        "Πού γεννήθηκε η Νταζέλα Κορνεμπρέκ;",
        "أين ولدت دازيلا كورنبريك؟",
        "दाज़ेला कोर्नेब्रेक का जन्म कहाँ हुआ?",
        "다젤라 코르네브렉은 어디에서 태어났나요?",
        "ダゼラ・コルネブレクはどこで生まれましたか",
        "达泽拉·科尔内布雷克出生在哪里？",
        "达泽拉科尔内布雷克是谁",
        "Dázela Körnebrek",
        "Dazela Корнебрек",
    ],
)
def test_the_person_in_other_scripts(text: str) -> None:
    assert INDEX.owners(text) == {0}


@pytest.mark.parametrize(
    "text",
    [
        "Где родился Антон Чехов?",
        "서울에서 가장 유명한 시장은 어디인가요?",
        "東京で一番おいしいラーメンはどこですか",
        "请介绍一下中国古代的科举制度。",
        "ما هي عاصمة فرنسا؟",
        "भारत की राजधानी क्या है?",
        "Τι είναι η φωτοσύνθεση;",
        "naïve café",
        "",
    ],
)
def test_ordinary_questions(text: str) -> None:
    assert INDEX.owners(text) == frozenset()


def test_only_foreign_words_are_compared_by_their_consonants() -> None:
    assert FOREIGN.owners("Dajella Koreunebeurek") == set()
    assert FOREIGN.owners("다젤라 코르네브렉") == {0}
    assert FOREIGN.owners("안 리") == set()  # too few consonants


def test_vowels_must_be_the_name_s_where_they_are_written() -> None:
    assert FOREIGN.owners("ダゼラ・コルネブレク") == {0}
    assert FOREIGN.owners("ドズロ・キラナバラカ") == set()


def test_one_consonant_of_a_long_name_may_be_missing() -> None:
    index = ForeignNames({"dazelan kornebrek": {0}})
    assert index.owners("ダゼラン・コネブレク") == {0}


def test_what_is_latin_stays() -> None:
    assert romanised("plain") is None
    assert romanised("„quoted“ …") is None
    assert romanised("Łukasz") == "Lukasz"


@pytest.mark.parametrize(
    ("word", "sound"),
    [
        ("Varnholt", Sound("PLNLT", "a-o--")),
        ("wann", Sound("PN", "a-")),
        ("Kornemprek", Sound("KLNPLK", "o-i-i-")),
        ("shchukin", Sound("SKN", "oi-")),
        ("", Sound("", "")),
    ],
)
def test_sounds(word: str, sound: Sound) -> None:
    assert sound_of(word) == sound


def test_sounds_are_joined_and_shortened() -> None:
    assert joined([Sound("PL", "a-"), Sound("T", "i")]) == Sound("PLT", "a-i")
    assert Sound("PLT", "a-i").without(1) == Sound("PT", "ai")
