"""Trains and judges the multilingual detector that ships; nothing of a source judges itself."""
