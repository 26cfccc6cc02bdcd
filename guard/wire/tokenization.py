"""`/tokenize` and `/detokenize`: nothing is generated, so nothing is screened; fields closed."""

from guard.terms.errors import RequestError
from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.wire import chat
from guard.wire.fields import Detokenise, FieldRules, FieldTable, Rule, expect_string

TOKENIZE_FIELDS: FieldTable = {
    "model": Rule.CARRIED,
    "prompt": Rule.CARRIED,
    "messages": Rule.CARRIED,
    "tools": Rule.CARRIED,
    "add_special_tokens": Rule.CARRIED,
    "add_generation_prompt": Rule.CARRIED,
    "continue_final_message": Rule.CARRIED,
    "return_token_strs": Rule.CARRIED,
    "chat_template": Rule.REFUSED,
    "chat_template_kwargs": Rule.SWITCHES,
    "media_io_kwargs": Rule.REFUSED,
    "mm_processor_kwargs": Rule.REFUSED,
}

DETOKENIZE_FIELDS: FieldTable = {"model": Rule.CARRIED, "tokens": Rule.CARRIED}


def parse_tokenize(body: JsonObject, rules: FieldRules, detokenise: Detokenise | None) -> Call:
    """Check a tokenization request; messages are checked as a chat's are."""
    accepted = rules.accept(body, TOKENIZE_FIELDS)
    if ("prompt" in accepted) == ("messages" in accepted):
        raise RequestError("Either 'prompt' or 'messages' must be given", param="prompt")
    if "messages" in accepted:
        messages: JsonObject = {"model": accepted.get("model"), "messages": accepted["messages"]}
        accepted["messages"] = chat.parse(messages, rules, detokenise).body["messages"]
    elif expect_string(accepted, "prompt") is None:
        raise RequestError("'prompt' must be a string", param="prompt")
    return _call("tokenize", accepted)


def parse_detokenize(body: JsonObject, rules: FieldRules, _detokenise: Detokenise | None) -> Call:
    """Check a detokenization request."""
    return _call("detokenize", rules.accept(body, DETOKENIZE_FIELDS))


def _call(name: str, body: JsonObject) -> Call:
    model = expect_string(body, "model") or ""
    return Call(name, f"/{name}", body, model, stream=False, items=())
