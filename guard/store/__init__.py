"""The traffic store: audit rows, captured prompts, and the thread that writes them."""
