"""Command-line agents in their default configuration, pointed at one address, telemetry off."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

KEY_VARIABLE = "ECOGUARD_MATRIX_KEY"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a program is pointed at: the server's root, a key, a model, and a home of its own."""

    root: str
    key: str
    model: str
    home: Path


@dataclass(frozen=True, slots=True)
class Agent:
    """A program: its package, the route it talks to, and how one turn of it is run.

    `prepare` writes its configuration and returns environment variables; `command` is the first
    turn's, `following` a later one's of the same conversation, both without the words.
    """

    name: str
    package: str
    route: str
    binary: str
    prepare: Callable[[Place], Mapping[str, str]]
    command: tuple[str, ...]
    following: tuple[str, ...]

    @property
    def folder(self) -> str:
        """The name of its environment."""
        return self.name.lower().split(" (")[0].replace(" ", "-")


def _codex(place: Place) -> Mapping[str, str]:
    folder = place.home / ".codex"
    folder.mkdir(exist_ok=True)
    (folder / "config.toml").write_text(
        f'model = "{place.model}"\nmodel_provider = "here"\n'
        "[analytics]\nenabled = false\n"
        f'[model_providers.here]\nname = "here"\nbase_url = "{place.root}/v1"\n'
        f'env_key = "{KEY_VARIABLE}"\nwire_api = "responses"\n'
        "request_max_retries = 0\nstream_max_retries = 0\n",
        encoding="utf-8",
    )
    return {"CODEX_HOME": str(folder)}


def _claude(place: Place) -> Mapping[str, str]:
    return {
        "ANTHROPIC_BASE_URL": place.root,
        "ANTHROPIC_API_KEY": place.key,
        "ANTHROPIC_MODEL": place.model,
        "ANTHROPIC_SMALL_FAST_MODEL": place.model,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_AUTOUPDATER": "1",
    }


def _copilot(place: Place, wire: str = "completions") -> Mapping[str, str]:
    return {
        "COPILOT_OFFLINE": "true",
        "COPILOT_AUTO_UPDATE": "false",
        "COPILOT_PROVIDER_BASE_URL": f"{place.root}/v1",
        "COPILOT_PROVIDER_API_KEY": place.key,
        "COPILOT_PROVIDER_WIRE_API": wire,
        "COPILOT_MODEL": place.model,
    }


def _copilot_responses(place: Place) -> Mapping[str, str]:
    return _copilot(place, "responses")


def _opencode(place: Place) -> Mapping[str, str]:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{place.root}/v1", "apiKey": place.key},
        "models": {place.model: {"limit": {"context": 131072, "output": 1024}}},
    }
    config = {"provider": {"here": provider}, "share": "disabled", "autoupdate": False}
    return {
        "OPENCODE_CONFIG_CONTENT": json.dumps(config),
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
    }


def _qwen(place: Place) -> Mapping[str, str]:
    return {
        "OPENAI_BASE_URL": f"{place.root}/v1",
        "OPENAI_API_KEY": place.key,
        "OPENAI_MODEL": place.model,
        "QWEN_TELEMETRY_ENABLED": "false",
    }


def _aider(place: Place) -> Mapping[str, str]:
    return {
        "OPENAI_API_BASE": f"{place.root}/v1",
        "OPENAI_API_KEY": place.key,
        "AIDER_ANALYTICS": "false",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }


_AIDER = (
    *("--model", "openai/demo", "--no-git", "--yes-always", "--no-check-update"),
    *("--no-show-model-warnings", "--no-fancy-input", "--no-auto-lint", "--message"),
)
_COPILOT = ("--allow-all-tools", "--no-auto-update", "--disable-client-telemetry")
_CODEX = ("--skip-git-repo-check", "--json", "--dangerously-bypass-approvals-and-sandbox")
_QWEN = ("--auth-type", "openai", "--approval-mode", "yolo", "-p")

AGENTS = (
    Agent(
        "Codex CLI",
        "npm:@openai/codex@0.171.0",
        "/v1/responses",
        "codex",
        _codex,
        ("exec", *_CODEX),
        ("exec", *_CODEX, "resume", "--last"),
    ),
    Agent(
        "Claude Code",
        "npm:@anthropic-ai/claude-code@2.1.332",
        "/v1/messages",
        "claude",
        _claude,
        ("--allowedTools", "Read,Glob,Bash", "-p"),
        ("--allowedTools", "Read,Glob,Bash", "-c", "-p"),
    ),
    Agent(
        "Copilot CLI",
        "npm:@github/copilot@1.0.102",
        "/v1/chat/completions",
        "copilot",
        _copilot,
        (*_COPILOT, "-p"),
        (*_COPILOT, "--continue", "-p"),
    ),
    Agent(
        "Copilot CLI (responses)",
        "npm:@github/copilot@1.0.102",
        "/v1/responses",
        "copilot",
        _copilot_responses,
        (*_COPILOT, "-p"),
        (*_COPILOT, "--continue", "-p"),
    ),
    Agent(
        "opencode",
        "npm:opencode-ai@1.18.33",
        "/v1/chat/completions",
        "opencode",
        _opencode,
        ("run", "-m", "here/demo"),
        ("run", "-m", "here/demo", "-c"),
    ),
    Agent(
        "Qwen Code",
        "npm:@qwen-code/qwen-code@0.24.4",
        "/v1/chat/completions",
        "qwen",
        _qwen,
        _QWEN,
        ("--continue", *_QWEN),
    ),
    Agent(
        "aider",
        "pypi:aider-chat==0.86.2",
        "/v1/chat/completions",
        "aider",
        _aider,
        _AIDER,
        ("--restore-chat-history", *_AIDER),
    ),
)
