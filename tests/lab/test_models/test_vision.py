from pathlib import Path

from lab.test_models.vision import architecture, build


def test_the_same_corpus_makes_the_same_checkpoint(tmp_path: Path) -> None:
    first, second = (build(tmp_path / name, ["a few words"] * 3) for name in "ab")
    assert architecture(first) == "Idefics3ForConditionalGeneration"
    names = sorted(file.name for file in first.iterdir())
    assert names == sorted(file.name for file in second.iterdir())
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)
