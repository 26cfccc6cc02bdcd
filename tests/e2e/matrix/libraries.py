"""Libraries and load generators: a program of ours that uses each, or its own command."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Library:
    """A library: the packages that its environment holds, the first one being it, and what is run.

    `program` is a file of `scripts/`: it makes three turns, a stream and a tool call, and exits
    with 0. Where there is none, `command` is run; `{root}`, `{python}` (the environment's) and
    `{tokenizer}` (the model's folder) are filled in. Without packages, vLLM's own environment
    is used.
    """

    name: str
    packages: tuple[str, ...]
    route: str
    program: str | None = None
    command: tuple[str, ...] = ()

    @property
    def forces_call(self) -> bool:
        """Whether it makes the model call a tool."""
        return self.program is not None and self.route != COMPLETIONS

    @property
    def folder(self) -> str:
        """The name of its environment: the first word of its name."""
        return self.name.lower().split(" (")[0].replace(" ", "-")


CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
COMPLETIONS = "/v1/completions"
_BENCH = (
    *("{python}", "-m", "vllm.entrypoints.cli.main", "bench", "serve"),
    *("--backend", "openai-chat", "--endpoint", CHAT, "--base-url", "{root}"),
    *("--model", "demo", "--tokenizer", "{tokenizer}", "--dataset-name", "random"),
    *("--num-prompts", "4", "--random-input-len", "24", "--random-output-len", "8"),
    *("--disable-tqdm",),
)
_LANGCHAIN = (
    "pypi:langchain-openai==1.7.4",
    "pypi:langchain-anthropic",
    "pypi:langchain-tests==1.1.9",
    "pypi:pytest-asyncio",
)
_LM_EVAL = ("pypi:lm-eval[api]==0.4.13", "pypi:transformers==5.24.0")
_PYDANTIC_AI = "pypi:pydantic-ai-slim[openai]==2.68.0"
_AI_SDK = (
    "npm:ai@7.0.173",
    "npm:@ai-sdk/openai-compatible@3.0.92",
    "npm:@ai-sdk/openai@4.0.118",
    "npm:@ai-sdk/anthropic@4.0.105",
    "npm:zod@4",
)
LIBRARIES = (
    Library("LiteLLM", ("pypi:litellm==1.110.2",), CHAT, "litellm_turns.py"),
    Library("LangChain", _LANGCHAIN, CHAT, "langchain_turns.py"),
    Library("LangChain (standard tests)", _LANGCHAIN, CHAT, "langchain_standard.py"),
    Library("OpenAI Agents SDK", ("pypi:openai-agents==0.24.0",), RESPONSES, "agents_sdk_turns.py"),
    Library("pydantic-ai", (_PYDANTIC_AI,), CHAT, "pydantic_ai_turns.py"),
    Library(
        "LlamaIndex", ("pypi:llama-index-llms-openai-like==0.8.1",), CHAT, "llama_index_turns.py"
    ),
    Library("AI SDK (compatible)", _AI_SDK, CHAT, "ai_sdk_turns.mjs"),
    Library("AI SDK (responses)", _AI_SDK, RESPONSES, "ai_sdk_turns.mjs"),
    Library("AI SDK (messages)", _AI_SDK, MESSAGES, "ai_sdk_turns.mjs"),
    Library("lm-eval", _LM_EVAL, COMPLETIONS, "lm_eval_turns.py"),
    Library("vllm bench serve", (), CHAT, command=_BENCH),
)
