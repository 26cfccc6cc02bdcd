"""LangChain over chat, Responses and Messages: three turns, a stream, a tool call."""

import sys
from typing import Any, Literal

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, ConfigDict, Field

ROOT, KEY, MODEL = sys.argv[1:4]


class Weather(BaseModel):
    """Look up the weather."""

    model_config = ConfigDict(extra="forbid")
    city: Literal["Ulm", "Bonn"] = Field(description="where")


given = {"model": MODEL, "api_key": KEY, "temperature": 0, "max_retries": 0, "max_tokens": 100}
models = (
    ChatOpenAI(base_url=f"{ROOT}/v1", **given),
    ChatOpenAI(base_url=f"{ROOT}/v1", use_responses_api=True, **given),
    ChatAnthropic(base_url=ROOT, **given),
)
for chat in models:
    messages: list[Any] = []
    for words in ("Where was the author born?", "And who is it?", "Thank you."):
        messages.append(HumanMessage(words))
        messages.append(chat.invoke(messages))
    assert "".join(piece.text for piece in chat.stream(messages[:1]))
    tools = chat.bind_tools([Weather], tool_choice="Weather")
    called = tools.invoke(messages[:1])
    call = called.tool_calls[0]
    assert call["name"] == "Weather"
    chat.invoke([*messages[:1], called, ToolMessage("21 degrees", tool_call_id=call["id"])])
