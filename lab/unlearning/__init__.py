"""Forgetting on real data: request folders from TOFU, and a run of the evaluations."""
