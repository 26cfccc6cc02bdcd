"""The page of what differs between vLLM's own answers and those through the proxy.

`python -m tests.docs.differences > docs/reference/differences.md` writes it;
`tests/test_docs.py` compares the two.
"""

import sys

from tests.e2e.replay.differences import DIFFERENCES

HEAD = """# Differences from vLLM's answers

Made by `python -m tests.docs.differences` from the list in `tests/e2e/replay/differences.py`; do
not edit.

`tests/e2e/replay` sends over 300 requests at temperature 0 to a real vLLM and through the proxy:
conversations, tools and forced tool choice, JSON schemas, grammars, `n`, log-probabilities, stop
strings, biased tokens, prefilled answers, Unicode, prompts of token ids; streamed and whole.
Every field of the answers is compared: text, reasons to finish, counts and ids of tokens, tool
calls, the order of a stream's events. Left out are ids, times, and how the tokens of a stream are
spread over its events.

On `/v1/chat/completions`, `/v1/completions` and `/v1/messages` nothing differs. On
`/v1/responses`, which the proxy sends to vLLM as a chat, this does, and nothing else:

| behind the proxy | why |
|---|---|
"""
TAIL = """
Requests of `/v1/responses` with earlier calls of tools are not among them. Where the model's
template shows a call as JSON, its keys stand in another order (`arguments` before `name`), for so
vLLM's chat route has them and its Responses route has not. Templates that name the two, as most
do, show the same prompt.

vLLM's errors keep their status; their words and their `code` are the proxy's. Requests that a
policy answers, and fields that are refused, are described in [the application's
guide](../guides/application.md) and on [the page of fields](fields.md).
"""


def text() -> str:
    """The whole page."""
    rows = "".join(f"| {each.what} | {each.reason} |\n" for each in DIFFERENCES)
    return HEAD + rows + TAIL


if __name__ == "__main__":
    sys.stdout.write(text())
