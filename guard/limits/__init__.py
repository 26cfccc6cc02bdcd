"""Request and token limits per API key, shared over replicas through Redis or in memory."""
