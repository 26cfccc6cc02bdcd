"""Whether a candidate may replace the version in service."""
