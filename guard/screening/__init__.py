"""From a request's texts to one verdict."""
