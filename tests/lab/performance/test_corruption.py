"""The bench of the corruption path, on a narrow table."""

import pytest

from lab.performance import corruption


def test_each_length_and_width_of_noise_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    corruption.main(["--hidden", "16", "--tokens", "4", "9", "--plain-heap", "--repeats", "3"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0].split() for line in lines] == [
        [tokens, "tokens", "x", "16,", dims, "dims"] for dims in ("1", "16") for tokens in "49"
    ]
