"""Classifiers and guard models behind HTTP servers, as detectors."""
