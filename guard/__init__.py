"""EcoGuard's serving side: the proxy, its screening and its corruption of prompts."""

__version__ = "0.1.0"
