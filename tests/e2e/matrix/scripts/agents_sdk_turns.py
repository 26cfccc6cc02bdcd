"""OpenAI's Agents SDK over Responses and chat: three turns, a stream, a tool call."""

import asyncio
import sys
from typing import Any

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

ROOT, KEY, MODEL = sys.argv[1:4]
SEEN: list[str] = []


def weather() -> str:
    """Look up the weather."""
    SEEN.append("called")
    return "21 degrees"


async def main() -> None:
    """Everything, over both kinds of model."""
    set_tracing_disabled(True)
    client = AsyncOpenAI(base_url=f"{ROOT}/v1", api_key=KEY, max_retries=0)
    settings = ModelSettings(temperature=0, max_tokens=500)
    for kind in (OpenAIResponsesModel, OpenAIChatCompletionsModel):
        model = kind(MODEL, client)
        agent = Agent(name="a", instructions="Be brief.", model=model, model_settings=settings)
        given: list[Any] = []
        for words in ("Where was the author born?", "And who is it?", "Thank you."):
            result = await Runner.run(agent, [*given, {"role": "user", "content": words}])
            given = result.to_input_list()
        streamed = Runner.run_streamed(agent, "Where was the author born?")
        assert [event async for event in streamed.stream_events()]
        forced = settings.resolve(ModelSettings(tool_choice="weather", parallel_tool_calls=False))
        tooled = Agent(name="b", model=model, model_settings=forced, tools=[function_tool(weather)])
        await Runner.run(tooled, "How is the weather?", max_turns=3)
        assert SEEN.pop() == "called"


asyncio.run(main())
