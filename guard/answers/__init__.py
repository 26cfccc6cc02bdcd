"""What a model says, judged before the client reads it."""
