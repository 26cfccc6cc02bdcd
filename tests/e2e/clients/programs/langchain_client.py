"""ChatOpenAI of langchain-openai: answers, streams, tools, structured output, what it raises."""

import json
import sys
from collections.abc import Callable
from typing import Any, Literal

from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAuthenticationError,
    ModelNotFoundError,
)
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field

QUESTION = "Where was the author born?"


class Weather(BaseModel):
    """Look up the weather."""

    city: Literal["Ulm", "Bonn"] = Field(description="where")


def main(root: str, polite_root: str, key: str, model: str, blocked: str) -> None:
    """Prints what ChatOpenAI made of it as one JSON object."""
    chat = _chat(root, key, model)
    polite = _chat(polite_root, key, model)
    weather = {"tool_choice": "required", "strict": True, "parallel_tool_calls": False}
    answer = chat.invoke(QUESTION)
    stream = list(chat.stream(QUESTION))
    by_responses = _chat(root, key, model, use_responses_api=True)
    refused = polite.invoke(blocked)
    refused_stream = list(polite.stream(blocked))
    result = {
        "answer": answer.content,
        "usage": answer.usage_metadata is not None,
        "stream": "".join(str(chunk.content) for chunk in stream),
        "stream_usage": any(chunk.usage_metadata for chunk in stream),
        "responses": by_responses.invoke(QUESTION).text,
        "responses_stream": "".join(chunk.text for chunk in by_responses.stream(QUESTION)),
        "call": chat.bind_tools([Weather], **weather).invoke(QUESTION).tool_calls[0],
        "structured": _dump(chat.with_structured_output(Weather).invoke(QUESTION)),
        "by_function": _dump(
            chat.with_structured_output(Weather, method="function_calling").invoke(QUESTION)
        ),
        "blocked": _raised(lambda: chat.invoke(blocked)),
        "blocked_stream": _raised(lambda: list(chat.stream(blocked))),
        "blocked_responses": _raised(lambda: by_responses.invoke(blocked)),
        "refused": refused.content,
        "refused_reason": refused.response_metadata["finish_reason"],
        "refused_refusal": refused.additional_kwargs["refusal"],
        "refused_stream": "".join(str(chunk.content) for chunk in refused_stream),
        "refused_stream_reasons": [
            chunk.response_metadata["finish_reason"]
            for chunk in refused_stream
            if "finish_reason" in chunk.response_metadata
        ],
        "refused_structured": _raised(
            lambda: polite.with_structured_output(Weather).invoke(blocked)
        ),
        "wrong_key": _raised(lambda: _chat(root, "wrong", model).invoke(QUESTION)),
        "unknown_model": _raised(lambda: _chat(root, key, "nobody").invoke(QUESTION)),
        "too_long": _raised(lambda: chat.invoke("Tell me more. " * 1000)),
    }
    sys.stdout.write(json.dumps(result) + "\n")


def _chat(root: str, key: str, model: str, **more: Any) -> Any:
    return ChatOpenAI(
        base_url=f"{root}/v1",
        api_key=key,
        model=model,
        max_retries=0,
        max_tokens=100,
        temperature=0,
        stream_usage=True,
        **more,
    )


def _dump(made: object) -> object:
    return made.model_dump() if isinstance(made, Weather) else repr(made)


def _raised(call: Callable[[], object]) -> dict[str, object]:
    """The exception's class, LangChain's name for it, its status and code."""
    try:
        call()
    except Exception as error:
        known = (ContextOverflowError, ModelAuthenticationError, ModelNotFoundError)
        return {
            "classes": [kind.__name__ for kind in type(error).__mro__],
            "known": [kind.__name__ for kind in known if isinstance(error, kind)],
            "status": getattr(error, "status_code", None),
            "code": getattr(error, "code", None),
        }
    return {"classes": []}


if __name__ == "__main__":
    main(*sys.argv[1:])
