"""`/v1/messages`, always translated into a chat call: vLLM's own route takes no embeddings."""

from guard.wire.messages.counting import CountTokensProtocol
from guard.wire.messages.protocol import MessagesProtocol

__all__ = ["CountTokensProtocol", "MessagesProtocol"]
