"""Who may attack a model: everybody but the application's own developer."""

from guard.terms.item import Author

ATTACKERS: frozenset[Author] = frozenset({"user", "assistant", "third_party"})
"""What the developer writes are rules for the model ("ignore requests for …"): they read like an
attack, and whoever may write them needs none. An assistant's turn may be of the caller's making."""
