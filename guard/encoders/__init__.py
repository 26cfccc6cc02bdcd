"""Encoders: texts in, unit-length features out, the same in training and in serving."""
