"""Slots are filled and nothing else is touched."""

from classifiers.malicious.data.templates import combinations, fill, load


def test_a_template_is_filled_and_begins_with_a_capital() -> None:
    assert fill("{x} and {y}", {"x": "one", "y": "two"}) == "One and two"


def test_values_keep_their_braces() -> None:
    assert fill("{x}!", {"x": "{unknown}"}) == "{unknown}!"


def test_combinations_are_complete() -> None:
    assert combinations({}) == [{}]
    assert combinations({"a": "12", "b": "3"}) == [{"a": "1", "b": "3"}, {"a": "2", "b": "3"}]


def test_every_data_file_is_read() -> None:
    for name in ("twins", "twins_languages", "wrappers", "injections"):
        assert load(name)
    assert load("prompt_families", "classifiers.evaluation")
