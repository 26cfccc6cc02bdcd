"""Detection of malicious prompts, measured on prompt sets."""
