"""The words that every room shares: errors, items, verdicts, detectors; imports no room."""
