"""`ecoguard-train` in this process, as an operator's shell runs it."""

import pytest

from classifiers.commands.main import main


def run(*arguments: object) -> int:
    """The exit status."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0)
