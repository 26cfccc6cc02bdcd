"""Clients in environments and languages of their own: LangChain, LiteLLM, the openai of npm."""

from typing import Any

import pytest

from tests.e2e.clients.conftest import Run
from tests.e2e.clients.service import REFUSAL

pytestmark = pytest.mark.vllm

CITIES = ({"city": "Ulm"}, {"city": "Bonn"})


@pytest.fixture(scope="module")
def langchain(run_python: Run) -> dict[str, Any]:
    return run_python("langchain_client.py")


@pytest.fixture(scope="module")
def litellm(run_python: Run) -> dict[str, Any]:
    return run_python("litellm_client.py")


@pytest.fixture(scope="module")
def npm(run_node: Run) -> dict[str, Any]:
    return run_node("openai_client.js")


def test_langchain_answers_streams_and_calls(langchain: dict[str, Any]) -> None:
    assert langchain["answer"]
    assert langchain["stream"] == langchain["answer"]
    assert langchain["responses"] == langchain["responses_stream"] == langchain["answer"]
    assert langchain["usage"]
    assert langchain["stream_usage"]
    assert langchain["call"]["name"] == "Weather"
    assert langchain["call"]["args"] in CITIES
    assert langchain["structured"] in CITIES
    assert langchain["by_function"] in CITIES


@pytest.mark.parametrize("how", ["blocked", "blocked_stream", "blocked_responses"])
def test_langchain_raises_openais_error_on_a_block(langchain: dict[str, Any], how: str) -> None:
    raised = langchain[how]

    assert "BadRequestError" in raised["classes"]
    assert (raised["status"], raised["code"]) == (400, "content_filter")


def test_langchain_sees_a_refusal(langchain: dict[str, Any]) -> None:
    assert langchain["refused"] == langchain["refused_refusal"] == REFUSAL
    assert langchain["refused_reason"] == "content_filter"
    assert langchain["refused_stream"] == REFUSAL
    assert langchain["refused_stream_reasons"] == ["content_filter"]
    assert "ContentFilterFinishReasonError" in langchain["refused_structured"]["classes"]


def test_langchain_knows_mistakes_apart(langchain: dict[str, Any]) -> None:
    found = {
        name: (langchain[name]["known"], langchain[name]["status"])
        for name in ("wrong_key", "unknown_model", "too_long")
    }

    assert found == {
        "wrong_key": (["ModelAuthenticationError"], 401),
        "unknown_model": (["ModelNotFoundError"], 404),
        "too_long": (["ContextOverflowError"], 400),
    }


@pytest.mark.parametrize("provider", ["openai", "hosted_vllm", "anthropic"])
def test_litellm(litellm: dict[str, Any], provider: str) -> None:
    found = litellm[provider]

    assert found.pop("answer") == found.pop("stream") != ""
    assert found == {
        "blocked": ["ContentPolicyViolationError", 400],
        "blocked_stream": ["ContentPolicyViolationError", 400],
        "refused": [REFUSAL, "content_filter"],
        "refused_stream": [REFUSAL, "content_filter"],
        "wrong_key": ["AuthenticationError", 401],
        "unknown_model": ["NotFoundError", 404],
        "too_long": ["ContextWindowExceededError", 400],
    }


def test_npm_openai_answers_streams_and_calls(npm: dict[str, Any]) -> None:
    assert npm["stream"] == npm["answer"]
    assert npm["answer"][0]
    assert npm["response"] == npm["answer"][0]
    assert npm["requestId"]
    assert npm["arguments"] in CITIES
    assert npm["models"] == ["demo"]
    assert npm["continued"] is True
    assert npm["events"][0] == "response.created"
    assert npm["events"][-1] in ("response.completed", "response.incomplete")


def test_npm_openai_throws_on_a_block(npm: dict[str, Any]) -> None:
    filtered = ["BadRequestError", 400, "content_filter"]

    assert npm["blocked"] == npm["blockedStream"] == [*filtered, "messages"]
    assert npm["blockedResponse"] == [*filtered, "input"]


def test_npm_openai_sees_a_refusal(npm: dict[str, Any]) -> None:
    assert npm["refused"] == [REFUSAL, REFUSAL, "content_filter"]
    assert npm["refusedStream"] == [REFUSAL, "content_filter"]
    assert npm["refusedResponse"] == ["incomplete", "content_filter"]
    assert npm["refusedEvents"] == "response.incomplete"


def test_npm_openai_knows_mistakes_apart(npm: dict[str, Any]) -> None:
    assert npm["wrongKey"][:3] == ["AuthenticationError", 401, "invalid_api_key"]
    assert npm["unknownModel"] == ["NotFoundError", 404, "model_not_found", "model"]
    assert npm["tooLong"][:3] == ["BadRequestError", 400, "context_length_exceeded"]
