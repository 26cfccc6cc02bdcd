"""Who may attack a model: its users, and whoever a tool or a document quotes."""

from guard.terms.item import Author

ATTACKERS: frozenset[Author] = frozenset({"user", "third_party"})
"""What the developer writes are rules for the model ("ignore requests for …"): they read like an
attack, and whoever may write them needs none. What the assistant has said the guard has let out;
an assistant's turn that it does not recognise is the user's text."""
