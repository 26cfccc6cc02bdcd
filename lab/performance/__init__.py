"""What the proxy costs, beside direct access and other proxies."""
