"""Extraction attacks on a guarded model: what it gives away of what it was to forget."""
