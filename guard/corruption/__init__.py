"""Embedding corruption: flagged text becomes corrupted `prompt_embeds` for vLLM."""
