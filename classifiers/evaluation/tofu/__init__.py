"""TOFU (arXiv 2401.06121): how well a guarded model forgets invented authors, and what it keeps."""
