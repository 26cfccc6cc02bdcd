"""Measuring detectors and corruptions on held-out prompts."""
