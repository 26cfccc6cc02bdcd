"""What a request may make its detectors read, and what of it first."""
