"""Detectors: texts or their features in, scores in [0, 1] out; higher is worse."""
