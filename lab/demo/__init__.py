"""A demonstration model that knows invented people, and its twin that never met six of them."""
