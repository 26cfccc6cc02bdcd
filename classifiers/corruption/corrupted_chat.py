"""Chats as the proxy sends them when it corrupts what users say, and answers scored under them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from classifiers.model_server.endpoint import Chat, Logprobs, Message, Messages, ModelEndpoint
from guard.corruption.functions import Corruption
from guard.corruption.payload import encode_tensor
from guard.corruption.prompt_embedder import PromptEmbedder, PromptEmbeds
from guard.corruption.rewriting import embeds_part


@dataclass(frozen=True, slots=True)
class ChatCorruptor:
    """Corrupts all texts of the given roles, by the code that serves (`guard.corruption`); with
    `names_only` the words that could be names.

    The noise follows from the embedder's key, `forget_set` and each text. Without a corruption
    the model gets the very rows that its own look-up would give.
    """

    embedder: PromptEmbedder
    corruption: Corruption | None
    forget_set: str
    roles: Sequence[str] = ("user",)
    names_only: bool = False

    def chat(self, messages: Messages) -> Chat:
        """The chat with every text of these roles replaced; raises RequestError as serving does."""
        return Chat(messages, [self._message(message) for message in messages])

    def answer_logprobs(
        self,
        endpoint: ModelEndpoint,
        messages: Messages,
        answer: str,
        *,
        end_of_turn: bool = False,
        corrupt_answer: bool = False,
    ) -> Logprobs:
        """Natural logprobs of the answer's tokens under the corrupted chat, shape (tokens,).

        With `end_of_turn` the token that ends the assistant's turn is scored, too.
        With `corrupt_answer` each token is scored after corrupted ones: ECO's published
        evaluation does so, a proxy cannot. That takes a request per token, and so do models
        without a spare vocabulary row; otherwise it is one request.
        """
        chat = self.chat(messages)
        if not corrupt_answer and endpoint.scores_embeds(chat):
            return endpoint.answer_logprobs(chat, answer, end_of_turn=end_of_turn)
        ids = endpoint.answer_tokens(messages, answer, end_of_turn=end_of_turn)
        noise = self.corruption if corrupt_answer else None
        rows = self.embedder.corrupted_rows(ids, self.forget_set, noise)
        found = []
        for position, token in enumerate(ids):
            said = list(chat.sent)
            if position:
                part = embeds_part(PromptEmbeds(encode_tensor(rows[:position]), position))
                said.append({"role": "assistant", "content": [part]})
            found.append(endpoint.next_logprob(said, token))
        return np.array(found)

    def _message(self, message: Message) -> Message:
        if message["role"] not in self.roles:
            return message
        content = message["content"]
        if isinstance(content, str):
            return {**message, "content": [self._part(content)]}
        return {**message, "content": [self._replaced(part) for part in content]}

    def _replaced(self, part: dict[str, Any]) -> dict[str, Any]:
        return self._part(part["text"]) if part.get("type") == "text" else part

    def _part(self, text: str) -> dict[str, Any]:
        embeds = self.embedder.embed_text(
            text, self.forget_set, self.corruption, names_only=self.names_only
        )
        return embeds_part(embeds)
