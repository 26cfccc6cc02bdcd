"""Generated seeds: both labels from every generator, always the same, none from held-out halves."""

from classifiers.malicious.data.attack_prompts import extract
from classifiers.malicious.data.generated import generated_prompts
from classifiers.malicious.data.twins import twins


def test_every_generator_gives_attacks_and_counterparts() -> None:
    rows = generated_prompts()
    sources = {row.source for row in rows}
    assert len(sources) >= 4
    assert {(row.source, row.label) for row in rows} == {
        (source, label) for source in sources for label in ("benign", "malicious")
    }
    assert generated_prompts() == rows


def test_held_out_halves_are_not_used() -> None:
    given = {row.text for row in generated_prompts()}
    held_out = {row.text for row in [*twins("held_out", 50, 0), *extract("held_out", 20, 0)]}
    assert not given & held_out
