"""Running the proxy: keys, metrics, logs."""
