"""The proxy's own screening and rewriting in this process: what it would send upstream.

Clients cannot ask the proxy for prompt log-probabilities, which is right; teacher-forced metrics of
the guarded path are measured on the requests that it makes, with an answer put behind them.
"""

import hashlib
from dataclasses import dataclass
from typing import Self

from classifiers.corruption.corrupted_chat import ChatCorruptor
from classifiers.model_server.endpoint import Chat, Message, Messages
from guard.corruption.functions import Corruption
from guard.corruption.prompt_embedder import PromptEmbedder
from guard.corruption.rewriting import UNKNOWN_CONTEXT, Rewriter
from guard.gateway.loading import load_resources
from guard.observability.metrics import Metrics
from guard.screening.screener import Screener
from guard.settings import Settings, secret
from guard.terms.errors import ConfigError
from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.terms.verdict import Action, Verdict
from guard.wire import chat
from guard.wire.fields import FieldRules


@dataclass(frozen=True, slots=True)
class Judged:
    """A conversation as parsed, and what the policies say of it."""

    call: Call
    verdict: Verdict

    @property
    def action(self) -> Action:
        """What the proxy would do."""
        return self.verdict.action


class GuardedPath:
    """Judges conversations and corrupts them as the proxy of the same settings would."""

    def __init__(self, model: str, screener: Screener, embedder: PromptEmbedder) -> None:
        self._model = model
        self._screener = screener
        self._embedder = embedder
        self._rules = FieldRules(may_corrupt=True)

    @classmethod
    def open(cls, settings: Settings, model: str | None = None) -> Self:
        """Load the detectors and the table of `model`, or of the only one there is.

        Raises ConfigError or ArtifactError naming what is wrong.
        """
        name = model_name(settings, model)
        resources = load_resources(settings)
        screener = Screener(resources.policies, resources.encoder, Metrics())
        served = settings.models[name]
        if served.path is None:
            raise ConfigError(f"models.{name}.path: needed for its token embeddings")
        key = secret(settings.corruption.key_env).encode()
        limit = served.context_tokens or UNKNOWN_CONTEXT
        return cls(name, screener, PromptEmbedder.open(served.path, key=key, max_tokens=limit))

    @property
    def width(self) -> int:
        """The model's hidden size."""
        return self._embedder.table.width

    @property
    def digest(self) -> str:
        """A hash of the model's token embeddings, which a fine-tuned model does not share."""
        return hashlib.sha256(self._embedder.table.weights.tobytes()).hexdigest()

    def judge(self, messages: Messages) -> Judged:
        """The verdict on a chat, by the code that judges requests."""
        body: JsonObject = {"model": self._model, "messages": [dict(said) for said in messages]}
        call = chat.parse(body, self._rules, None)
        return Judged(call, Verdict.of(self._screener.judge(call.items)))

    def corrupted(self, judged: Judged, corruption: Corruption) -> Chat:
        """The chat as it goes upstream; one that nobody flagged goes as it came.

        Raises ConfigError for a corruption wider than the model.
        """
        plain = _messages(judged.call.body)
        if judged.action is not Action.CORRUPT:
            return Chat(plain, plain)
        corruption.check_width(self.width)
        embedder = self._embedder
        rewriter = Rewriter({self._model: embedder}, corruption, key=embedder.key)
        return Chat(plain, _messages(rewriter.rewrite(judged.call, judged.verdict)[0]))

    def corruptor(self, judged: Judged, corruption: Corruption) -> ChatCorruptor:
        """What can corrupt an answer as well, with the noise of the chat that was judged."""
        cause = judged.verdict.cause
        return ChatCorruptor(self._embedder, corruption, cause.detector if cause else "")


def model_name(settings: Settings, model: str | None) -> str:
    """The model of that name, or the only one; ConfigError where there is none or a choice."""
    if model is not None and model in settings.models:
        return model
    if model is None and len(settings.models) == 1:
        return next(iter(settings.models))
    raise ConfigError(f"model: name one of {', '.join(settings.models) or 'models (none is set)'}")


def _messages(body: JsonObject) -> list[Message]:
    messages = body["messages"]
    return messages if isinstance(messages, list) else []
