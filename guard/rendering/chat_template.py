"""A model's own chat template: in which order, and with what between, it sets a request's texts."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from guard.rendering.plain_order import SHOWN, Places
from guard.rendering.sandbox import ChatTemplateError, SandboxedTemplate
from guard.rendering.stand_ins import Found, StandIns, tags_of
from guard.rendering.template_files import DEFAULT, WITH_TOOLS, TemplateFiles
from guard.terms.item import Path
from guard.terms.json import JsonObject
from guard.terms.rendering import Order, Segment

logger = logging.getLogger(__name__)

REASONING = ("reasoning", "reasoning_content")
"""Two names of one field: the model server gives templates both."""
LABELS = ("name", "tool_call_id")
SETTINGS = ("add_generation_prompt", "continue_final_message", "reasoning_effort")
"""Fields that templates follow, beside the texts and `chat_template_kwargs`."""
MESSAGE = 2
"""The step of a path that names a field of a message."""
PROBE = "q9999999z"


@dataclass(frozen=True)
class ChatTemplate:
    """The templates of one model; `in_parts` says whether they read the parts of a message, else
    they are given their texts in lines."""

    files: TemplateFiles
    compiled: Mapping[str, SandboxedTemplate]
    in_parts: bool = False
    identity: str = field(default="")

    @classmethod
    def read(cls, files: TemplateFiles) -> "ChatTemplate | None":
        """None where there is no template, or none that can be read."""
        compiled = {name: SandboxedTemplate(text) for name, text in files.templates.items()}
        if DEFAULT not in compiled:
            return None
        try:
            for template in compiled.values():
                template.check()
        except ChatTemplateError as error:
            logger.warning("a chat template cannot be read: %s", error)
            return None
        texts = "\0".join(f"{name}\0{text}" for name, text in files.templates.items())
        identity = sha256(texts.encode("utf-8", "surrogatepass")).hexdigest()
        return cls(files, compiled, _reads_parts(compiled[DEFAULT], files.tokens), identity)

    def orders(self, body: JsonObject, places: Places) -> tuple[Order, ...]:
        """The texts of a chat request in the order of its prompt, and what of them everybody
        would show; none where the template fails, as it does for a conversation that the model
        server would refuse."""
        name = WITH_TOOLS if body.get("tools") and WITH_TOOLS in self.compiled else DEFAULT
        words = StandIns(tags_of(self.files.templates[name]))
        try:
            rendered = self.compiled[name].render(self._variables(body, words))
        except ChatTemplateError:
            return ()
        found = [text for text in words.found_in(rendered) if text.path in places]
        return tuple(
            tuple(Segment(one.text, places[one.path], one.joint) for one in some)
            for some in (found, filter(_is_bare, found))
        )

    def _variables(self, body: JsonObject, words: StandIns) -> dict[str, object]:
        switches = body.get("chat_template_kwargs")
        messages = body.get("messages")
        listed = messages if isinstance(messages, list) else []
        effort = body.get("reasoning_effort")
        return {
            **self.files.tokens,
            **({} if effort is None else {"reasoning_effort": effort}),
            **(switches if isinstance(switches, dict) else {}),
            "messages": [self._message(m, n, words) for n, m in enumerate(listed)],
            "tools": words.tools(body["tools"], ("tools",)) if body.get("tools") else None,
            "documents": _documents(body.get("documents"), words),
            "add_generation_prompt": body.get("add_generation_prompt", True),
        }

    def _message(self, message: JsonObject, number: int, words: StandIns) -> JsonObject:
        path: Path = ("messages", number)
        made: JsonObject = {"role": message.get("role")}
        content = message.get("content")
        if isinstance(content, str):
            made["content"] = words.text(content, (*path, "content"))
        elif isinstance(content, list):
            made["content"] = self._parts(content, (*path, "content"), words)
        else:
            made["content"] = None
        for label in LABELS:
            if isinstance(said := message.get(label), str):
                made[label] = words.text(said, (*path, label))
        for name in REASONING:
            if isinstance(said := message.get(name), str):
                made |= dict.fromkeys(REASONING, words.text(said, (*path, name)))
        if message.get("tool_calls"):
            made["tool_calls"] = words.calls(message["tool_calls"], (*path, "tool_calls"))
        return made

    def _parts(self, content: Sequence[JsonObject], path: Path, words: StandIns) -> object:
        texts = []
        for number, part in enumerate(content):
            said = part.get("text") or part.get("refusal")
            if isinstance(said, str):
                texts.append(words.text(said, (*path, number)))
        if self.in_parts:
            return [{"type": "text", "text": text} for text in texts]
        return "\n".join(texts)


def _is_bare(found: Found) -> bool:
    is_message = found.path[0] == "messages"
    return not found.detail and not (is_message and found.path[MESSAGE] not in SHOWN)


def _documents(documents: object, words: StandIns) -> object:
    return words.value(documents, ("documents",)) if documents else None


def _reads_parts(template: SandboxedTemplate, tokens: Mapping[str, str]) -> bool:
    """Whether the template shows the text of a message's part, and nothing else of it."""
    content = [{"type": "text", "text": PROBE}]
    asked = {"messages": [{"role": "user", "content": content}], "tools": None, "documents": None}
    try:
        shown = template.render({**tokens, **asked, "add_generation_prompt": True})
    except ChatTemplateError:
        return False
    return PROBE in shown and f"'{PROBE}'" not in shown and f'"{PROBE}"' not in shown
