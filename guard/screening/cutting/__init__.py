"""What is read of a request: single texts in windows, and windows over the seams of several."""
