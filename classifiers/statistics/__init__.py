"""Thresholds and metrics."""
