"""The file of pinned prompts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from guard.recognition.pin_file import Pin, PinFile, Removal, read_pins, write_pins
from guard.terms.errors import ConfigError

NOW = datetime(2026, 12, 1, tzinfo=UTC)
PIN = Pin(digest="0f" * 16, name="tutor", source="file", time=NOW, by="ops")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "pins.json"
    assert read_pins(file) == PinFile()
    whole = PinFile(pins=(PIN,), removed=(Removal(pin=PIN, time=NOW, by="ops"),))
    write_pins(file, whole)
    assert read_pins(file) == whole
    assert read_pins(file).digests == {b"\x0f" * 16}
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"pins": [{"digest": "x"}]}', '{"more": 1}', '{"pins": [{"digest": "00"}]}'],
)
def test_anything_else_is_refused_by_name(tmp_path: Path, content: str) -> None:
    file = tmp_path / "pins.json"
    file.write_text(content)
    with pytest.raises(ConfigError, match=r"pins\.json: .*no file of pinned prompts"):
        read_pins(file)


def test_what_cannot_be_read_or_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory"):
        read_pins(tmp_path)
    with pytest.raises(ConfigError, match="No such file"):
        write_pins(tmp_path / "nowhere" / "pins.json", PinFile())
