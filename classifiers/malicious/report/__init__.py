"""Figures and pages about a trained detector."""
