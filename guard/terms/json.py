"""JSON as Python holds it."""

JsonObject = dict[str, object]
"""An object: what a request's body is."""
