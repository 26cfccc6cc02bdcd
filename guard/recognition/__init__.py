"""Whose words a request's texts are: answers of our own, pinned prompts, and whom a key trusts."""
