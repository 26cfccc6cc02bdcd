"""One request's way, and the service that answers it."""
