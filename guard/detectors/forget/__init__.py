"""Detectors of what is to be forgotten: one request, many, a folder of them."""
