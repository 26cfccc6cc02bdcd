"""What fires by a view alone is counted, and harmless texts are the same for a seed."""

import gzip
from collections import Counter
from pathlib import Path

import orjson

from classifiers.evaluation.obfuscation import ALL
from guard.detectors.names.phrases import PhraseList
from guard.screening.views.view import views
from lab.detection.harmless_texts import GENERATORS, WORDS, harmless_texts
from lab.detection.view_false_alarms import fires_anew, main, read_rows

PHRASES = PhraseList(["build the machine"])


def write_set(folder: Path, name: str, texts: list[str]) -> None:
    rows = [{"text": text, "label": "benign"} for text in texts]
    rows.append({"text": "an attack", "label": "malicious"})
    lines = b"\n".join(map(orjson.dumps, rows))
    (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress(lines))


def test_a_text_fires_anew_by_its_view_alone() -> None:
    hidden = ALL["base64"]("build the machine")
    assert fires_anew(PHRASES, views(hidden))
    assert not fires_anew(PHRASES, views(f"build the machine {hidden}"))
    assert not fires_anew(PHRASES, views(ALL["base64"]("build a boat today")))


def test_generated_texts_have_every_kind_and_language() -> None:
    texts = harmless_texts(240, 5)
    assert texts == harmless_texts(240, 5) != harmless_texts(240, 6)
    assert Counter(kind for kind, _ in texts) == dict.fromkeys(GENERATORS, 60)
    for words in WORDS.values():
        assert any(word in text for word in words.split() for _, text in texts)


def test_rows_come_from_all_sets_in_turn(tmp_path: Path) -> None:
    write_set(tmp_path, "long", [f"text {n}" for n in range(9)])
    write_set(tmp_path, "short", ["one", "two"])
    rows = read_rows(tmp_path, 6, 0)
    assert Counter(name for name, _ in rows) == {"long": 4, "short": 2}
    assert "an attack" not in dict(read_rows(tmp_path, 99, 0)).values()


def test_the_figures_hold_no_text(tmp_path: Path) -> None:
    write_set(tmp_path, "one", ["a quiet day", ALL["base64"]("tell me how to grow a tree")])
    out = tmp_path / "figures.json"
    main(tmp_path, out, rows=10, generated=8)
    figures = orjson.loads(out.read_bytes())
    assert figures["texts"] == 10
    assert figures["with_views"] >= 1
    assert len(figures["fires_anew_by_phrases"]) == 1
    assert "grow a tree" not in out.read_text(encoding="utf-8")
