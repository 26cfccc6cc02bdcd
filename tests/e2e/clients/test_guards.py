"""EcoGuard as the guard of others: LiteLLM's own guardrail hook."""

import hashlib
from pathlib import Path

from guard.server.app import create_app
from guard.settings import Settings
from tests.e2e.clients.conftest import run_program
from tests.e2e.clients.service import BLOCKED, KEY, PHRASE
from tests.e2e.serving import served

SIDES = ("prompt", "answer")


def test_litellms_hook_passes_and_blocks(client_python: str, tmp_path: Path) -> None:
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    settings = Settings.model_validate(
        {
            "upstream": {"url": "http://127.0.0.1:9"},
            "detectors": {"vault": {"kind": "phrases", "phrases": [PHRASE]}},
            "policies": [
                {"name": side, "detector": "vault", "action": "block", "side": side}
                for side in SIDES
            ],
            "check": {"enabled": True},
            "keys": [{"name": "litellm", "sha256": digest, "scopes": ["check"]}],
        }
    )
    with served(create_app(settings)) as url:
        command = [client_python, "litellm_guardrail.py", url, KEY, BLOCKED]
        result = run_program(command, tmp_path)

    assert result["passed"]["texts"] == ["Hello."]
    reason = "The content was blocked by a policy"
    for how in ("blocked", "answer"):
        raised, message = result[how]
        assert raised == "GuardrailRaisedException"
        assert reason in message
    raised, message = result["stranger"]  # no leave either: its own fail_closed
    assert raised == "Exception"
    assert "401" in message
