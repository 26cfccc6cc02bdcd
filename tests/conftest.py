"""How the suite is spread over processes: a file stays whole, and so do all tests of one vLLM."""

from pathlib import Path

import pytest

E2E = Path(__file__).parent / "e2e"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Group tests for `--dist loadgroup`: end-to-end tests together, others by file.

    A vLLM takes 3 GB and half a minute to start, so one process has all tests that share it. A
    file's fixtures are made once because no file is split.
    """
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        group = "vllm" if E2E in item.path.parents else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
