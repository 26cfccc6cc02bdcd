"""Chat answers into Response objects and their output items."""

import time
import uuid
from collections.abc import Sequence

from guard.terms.json import JsonObject
from guard.wire.chat_answers import Answer, Block, Kind, TokenLogprob, Usage
from guard.wire.responses.call import ResponsesCall
from guard.wire.responses.custom_input import decode_input
from guard.wire.responses.tools import ToolName

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
_ID_PREFIXES = {Kind.REASONING: "rs", Kind.TEXT: "msg", Kind.TOOL_CALL: "fc"}


class Draft:
    """One response in the making: its identity, and its objects in any state.

    Item ids follow from the response's id and their place, so each event can name them.
    `prompt_tokens` is set once the model server has counted them.
    """

    def __init__(self, call: ResponsesCall) -> None:
        self.call = call
        self.prompt_tokens: int | None = None
        self._hex = uuid.uuid4().hex
        self._created = int(time.time())

    def response(
        self,
        status: str,
        output: Sequence[JsonObject] = (),
        *,
        usage: JsonObject | None = None,
        incomplete: str | None = None,
        error: JsonObject | None = None,
    ) -> JsonObject:
        """The Response object; `incomplete` is the reason why it is."""
        finished = status in ("completed", "incomplete", "failed")
        return {
            "id": f"resp_{self._hex}",
            "object": "response",
            "created_at": self._created,
            "completed_at": int(time.time()) if finished else None,
            "status": status,
            "background": False,
            "error": error,
            "incomplete_details": {"reason": incomplete} if incomplete else None,
            "max_output_tokens": self.call.longest_answer(self.prompt_tokens),
            "model": self.call.model,
            "output": list(output),
            "usage": usage,
            **self.call.echo,
        }

    def item_id(self, block: Block) -> str:
        """The id of the output item that a block becomes."""
        prefix = "ctc" if self.is_custom(block) else _ID_PREFIXES[block.kind]
        return f"{prefix}_{self._hex}{block.index:04x}"

    def is_custom(self, block: Block) -> bool:
        """Whether a block is the call of a custom tool."""
        return block.kind is Kind.TOOL_CALL and self._tool(block).custom

    def _tool(self, block: Block) -> ToolName:
        return self.call.tool_names.get(block.name) or ToolName(block.name)

    def item(self, block: Block, status: str) -> JsonObject:
        """The output item of a block; without its content while that is still to come."""
        begun = status == "in_progress"
        item: JsonObject = {"id": self.item_id(block), "status": status}
        if block.kind is Kind.TOOL_CALL:
            return {**item, **self._tool_call(block, begun)}
        content = [] if begun else [content_part(block)]
        if block.kind is Kind.REASONING:
            return {**item, "type": "reasoning", "summary": [], "content": content}
        return {**item, "type": "message", "role": "assistant", "content": content}

    def _tool_call(self, block: Block, begun: bool) -> JsonObject:
        tool = self._tool(block)
        call: JsonObject = {"call_id": block.call_id, "name": tool.name}
        if tool.namespace is not None:
            call["namespace"] = tool.namespace
        if tool.custom:
            text = "" if begun else decode_input(block.text)
            return {"type": "custom_tool_call", **call, "input": text}
        return {"type": "function_call", **call, "arguments": block.text}

    def refused_item(self, content: Sequence[JsonObject], status: str) -> JsonObject:
        """The message that holds a refusal."""
        item_id = self.item_id(Block(Kind.TEXT, 0))
        shape: JsonObject = {"type": "message", "role": "assistant", "content": list(content)}
        return {"id": item_id, "status": status, **shape}


def response_of(draft: Draft, answer: Answer) -> JsonObject:
    """The Response object of a whole answer.

    As with vLLM every item is complete, and an answer without a word has none: that the answer was
    cut is told once, of the response.
    """
    said = (block for block in answer.blocks if block.text or block.kind is not Kind.TEXT)
    output = [draft.item(block, "completed") for block in said]
    return finished_response(draft, output, answer)


def finished_response(draft: Draft, output: Sequence[JsonObject], answer: Answer) -> JsonObject:
    """The Response object of a finished answer whose items are made already."""
    incomplete = INCOMPLETE.get(answer.finish_reason)
    draft.prompt_tokens = answer.usage.prompt_tokens
    return draft.response(
        "incomplete" if incomplete else "completed",
        output,
        usage=usage_of(answer.usage),
        incomplete=incomplete,
    )


def refused_response(draft: Draft, text: str) -> JsonObject:
    """The Response object that refuses. It is not stored: its turn would be refused for ever."""
    item = draft.refused_item([{"type": "refusal", "refusal": text}], "completed")
    return {
        **draft.response(
            "incomplete", [item], usage=usage_of(Usage()), incomplete="content_filter"
        ),
        "store": False,
    }


def content_part(block: Block) -> JsonObject:
    """The content part of a reasoning or text block, as far as it is known."""
    if block.kind is Kind.REASONING:
        return {"type": "reasoning_text", "text": block.text}
    logprobs = logprobs_of(block.logprobs) or None
    return {"type": "output_text", "text": block.text, "annotations": [], "logprobs": logprobs}


def logprobs_of(logprobs: Sequence[TokenLogprob]) -> list[JsonObject]:
    """Logprobs as output text has them: bytes are a list, never null."""
    return [
        {
            "token": each.token,
            "logprob": each.logprob,
            "bytes": list(each.bytes or ()),
            "top_logprobs": [
                {"token": top.token, "logprob": top.logprob, "bytes": list(top.bytes or ())}
                for top in each.top_logprobs
            ],
        }
        for each in logprobs
    ]


def usage_of(usage: Usage) -> JsonObject:
    """Token counts under their names here."""
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_tokens or 0,
            "cache_write_tokens": usage.cache_write_tokens or 0,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.prompt_tokens + usage.output_tokens,
    }
