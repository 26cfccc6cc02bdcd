"""Some 300 requests of all shapes, through the proxy and straight to vLLM: answers are equal."""
