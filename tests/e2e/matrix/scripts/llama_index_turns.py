"""LlamaIndex's OpenAILike: three turns, a stream, a tool call."""

import sys
from typing import Any, Literal

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike

ROOT, KEY, MODEL = sys.argv[1:4]


def weather(city: Literal["Ulm", "Bonn"]) -> str:
    """Look up the weather."""
    return f"21 degrees in {city}"


given = {"model": MODEL, "api_base": f"{ROOT}/v1", "api_key": KEY, "max_retries": 0}
llm = OpenAILike(
    is_chat_model=True,
    is_function_calling_model=True,
    temperature=0,
    max_tokens=100,
    context_window=32768,
    **given,
)
messages: list[Any] = []
for words in ("Where was the author born?", "And who is it?", "Thank you."):
    messages.append(ChatMessage(role="user", content=words))
    messages.append(llm.chat(messages).message)
assert "".join(piece.delta or "" for piece in llm.stream_chat(messages[:1]))
tool = FunctionTool.from_defaults(weather)
STRICT = {"strict": True, "tool_choice": "weather"}
answer = llm.chat_with_tools([tool], chat_history=messages[:1], **STRICT)
assert llm.get_tool_calls_from_response(answer)[0].tool_name == "weather"
