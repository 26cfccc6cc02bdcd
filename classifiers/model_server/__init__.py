"""A live vLLM: started, asked for answers and log probabilities."""
