"""Detectors of malicious prompts: on an encoder's features, and on the text."""
