"""Forget requests: their files, training rows, fitted heads, artifacts."""
