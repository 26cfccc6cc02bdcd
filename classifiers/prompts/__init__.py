"""Prompts: read from files, labelled, deduplicated, split, reworded."""
