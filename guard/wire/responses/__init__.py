"""`/v1/responses`, always translated into a chat call: vLLM's own route takes no embeddings."""

from guard.wire.responses.protocol import ResponsesProtocol
from guard.wire.responses.store import ResponseStore, StoreLimits

__all__ = ["ResponseStore", "ResponsesProtocol", "StoreLimits"]
