"""What detectors learn from: prompts drawn, generated, deduplicated, encoded."""
