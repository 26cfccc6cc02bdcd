"""Readings of a disguised text: characters folded, encodings and ciphers undone."""
