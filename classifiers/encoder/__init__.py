"""Encoder artifacts: sources, export to ONNX, features of prompts."""
