"""Learns how to corrupt, against a live endpoint, without a gradient and without weights (ECO)."""
