"""Who reads when: threads, fair turns, and batches of a bounded time."""
