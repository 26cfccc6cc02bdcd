"""Quotes: long runs of words that stand in protected texts, in a request's own instructions, or in
a list of exact strings."""
