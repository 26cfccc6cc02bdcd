"""The configuration to begin with loads, says what was found, and changes nothing yet."""

from pathlib import Path

import pytest

from guard.commands.starter import starter
from guard.settings import load

URL = "http://127.0.0.1:8000"
ODD = 'org/name: "7b" #1'


@pytest.mark.parametrize(
    ("models", "key", "artifact", "policies"),
    [
        ({"demo": 512, "other": None}, None, "artifacts/malicious", 2),
        ({ODD: 4096}, "VLLM_API_KEY", None, 1),
    ],
)
def test_it_loads(
    tmp_path: Path,
    models: dict[str, int | None],
    key: str | None,
    artifact: str | None,
    policies: int,
) -> None:
    file = tmp_path / "guard.yaml"
    file.write_text(starter(URL, models, key, artifact), encoding="utf-8")
    settings = load(file, {})
    found = {name: model.context_tokens for name, model in settings.models.items()}
    assert found == models
    assert settings.upstream.api_key_env == key
    assert [policy.shadow for policy in settings.policies] == [True] * policies


def test_it_is_short() -> None:
    assert starter(URL, {"demo": 512}, None, "artifacts/malicious").count("\n") <= 15
