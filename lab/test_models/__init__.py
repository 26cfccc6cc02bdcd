"""Small models that know TOFU and excerpts of books, to measure forgetting with."""
