"""What the proxy tells about itself: metrics, logs, traces."""
