"""The way to the model server."""
