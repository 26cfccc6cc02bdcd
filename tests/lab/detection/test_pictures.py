import gzip
import random
from io import BytesIO
from pathlib import Path

import orjson
from PIL import Image

from lab.detection.pictures import Drawn, figures, rows, words_read
from lab.detection.typography import COLOURS, FONTS, Style, draw, font_file


def drawn(label: str, read: float, *, as_text: bool, as_picture: bool) -> Drawn:
    style = Style("DejaVuSans", 20, "black on white", 0, 0, "PNG")
    return Drawn(label, style, read, as_text, as_picture, 1.0, 0.5)


def test_shares_are_told_over_all_and_by_trait() -> None:
    found = figures(
        [
            drawn("malicious", 1.0, as_text=True, as_picture=True),
            drawn("malicious", 0.5, as_text=True, as_picture=False),
            drawn("benign", 1.0, as_text=False, as_picture=True),
        ]
    )
    read, shares = found["read"], found["found"]
    assert isinstance(read, dict)
    assert isinstance(shares, dict)
    assert read["all"] == read["size 20"] == {"texts": 3, "words": 0.833, "every word": 0.667}
    assert shares["malicious"] == {"texts": 2, "as text": 1.0, "as picture": 0.5, "both": 0.5}
    assert shares["benign"]["as picture"] == 1.0
    assert found["cpu_seconds_a_megapixel"] == 2.0


def test_words_count_in_whatever_order() -> None:
    assert words_read("Ignore all rules", "rules: ignore, ALL") == 1
    assert words_read("Ignore all rules", "ignore") == 1 / 3
    assert words_read("Ignore", "") == 0


def test_sets_take_turns_and_lengths_are_bounds(tmp_path: Path) -> None:
    for name, texts in (("a", ["aaa", "aaaa", "a"]), ("b", ["bbb", "ü" * 3])):
        lines = b"\n".join(orjson.dumps({"text": t, "label": "benign"}) for t in texts)
        (tmp_path / f"{name}.jsonl.gz").write_bytes(gzip.compress(lines))
    found = rows(tmp_path, "benign", 2, range(3, 5), random.Random(0))
    assert sorted(text[0] for text in found) == ["a", "b"]
    assert rows(tmp_path, "malicious", 2, range(3, 5), random.Random(0)) == []


def test_what_is_drawn_has_room_for_its_text() -> None:
    for seed, font in enumerate(FONTS):
        rng = random.Random(seed)
        style = Style(font, 14, rng.choice(tuple(COLOURS)), 12, 15, "JPEG")
        with Image.open(BytesIO(draw("a few words " * 20, style, rng))) as image:
            assert image.width > 200
            assert image.height > 60
        assert Path(font_file(font)).is_file()


def test_a_style_is_the_same_for_a_seed() -> None:
    assert Style.drawn(random.Random(3)) == Style.drawn(random.Random(3))
