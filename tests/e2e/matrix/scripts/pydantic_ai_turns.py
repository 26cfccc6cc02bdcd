"""pydantic-ai over chat and Responses: three turns, a stream, a tool call as its output."""

import asyncio
import sys
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic_ai import Agent, ToolOutput
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

ROOT, KEY, MODEL = sys.argv[1:4]


class Weather(BaseModel):
    """Where."""

    model_config = ConfigDict(extra="forbid")
    city: Literal["Ulm", "Bonn"]


async def main() -> None:
    """Everything, over both kinds of model."""
    provider = OpenAIProvider(base_url=f"{ROOT}/v1", api_key=KEY)
    settings = {"temperature": 0, "max_tokens": 100, "parallel_tool_calls": False}
    for kind in (OpenAIChatModel, OpenAIResponsesModel):
        model = kind(MODEL, provider=provider)
        agent = Agent(model, instructions="Be brief.", model_settings=settings)
        history: list[Any] = []
        for words in ("Where was the author born?", "And who is it?", "Thank you."):
            history = (await agent.run(words, message_history=history)).all_messages()
        async with agent.run_stream("Where was the author born?") as streamed:
            assert [text async for text in streamed.stream_text()]
        forced = Agent(model, output_type=ToolOutput(Weather, strict=True), model_settings=settings)
        assert (await forced.run("Where is it?")).output.city in ("Ulm", "Bonn")


asyncio.run(main())
