"""Malicious-prompt detectors: from unlabelled traffic or labelled sets to an artifact."""
