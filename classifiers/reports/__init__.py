"""HTML pages of figures."""
