"""The detector that EcoGuard ships: its files, and how they become an artifact.

They are an encoder, multilingual-e5-small in four bits (`classifiers.encoder.packed`), the
difference that tuning made, the lexical table, the thresholds and what was measured.
"""

from classifiers.malicious.shipped.detector import build_shipped, save_shipped

__all__ = ["build_shipped", "save_shipped"]
