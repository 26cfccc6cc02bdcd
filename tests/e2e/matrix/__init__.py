"""Real programs, each straight at vLLM and through the proxy: `make clients-matrix`."""
