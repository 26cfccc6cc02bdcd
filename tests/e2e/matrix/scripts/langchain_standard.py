"""langchain-tests' standard suite for chat models, as the package ships it; prints what passed."""

import sys
import tempfile
from pathlib import Path
from typing import ClassVar

import pytest

ROOT, KEY, MODEL = sys.argv[1:4]
CASE = f'''
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

class TestChat(ChatModelIntegrationTests):
    chat_model_class = ChatOpenAI
    chat_model_params = {{"model": "{MODEL}", "base_url": "{ROOT}/v1", "api_key": "{KEY}",
                          "temperature": 0, "max_tokens": 100, "max_retries": 0}}
'''


class Names:
    """Takes down the tests that passed."""

    passed: ClassVar[list[str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """After each step of each test."""
        if report.when == "call" and report.passed:
            self.passed.append(report.nodeid.split("::")[-1])


with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "test_standard.py"
    file.write_text(CASE, encoding="utf-8")
    options = ["-q", "-p", "no:cacheprovider", "--tb=no", "-o", "asyncio_mode=auto"]
    pytest.main([*options, str(file)], [Names()])
sys.stdout.write(f"PASSED {' '.join(sorted(Names.passed))}\n")
