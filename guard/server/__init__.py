"""ASGI: the application, its routes, the guarded endpoint, worker processes."""
