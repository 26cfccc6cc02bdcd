"""The ways to learn a malicious detector."""
