"""Indexes of protected texts."""
