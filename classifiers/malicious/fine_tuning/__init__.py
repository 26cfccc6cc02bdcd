"""Supervised, fine-tuned detection: composed training prompts, the tower, its training, export."""
