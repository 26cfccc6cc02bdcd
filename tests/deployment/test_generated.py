"""Files of deploy/ that are made from others are what their generator makes."""

from pathlib import Path

import pytest

from tests.deployment.generated import files
from tests.source_tree import ROOT


@pytest.mark.parametrize("file", files(), ids=lambda file: file.relative_to(ROOT).as_posix())
def test_the_file_is_what_the_generator_writes(file: Path) -> None:
    written = file.read_text(encoding="utf-8")
    assert written == files()[file], "run: python -m tests.deployment.generated"
