"""MUSE's six criteria of unlearning (arXiv 2407.06460), for a guarded model."""
