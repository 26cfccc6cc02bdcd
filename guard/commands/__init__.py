"""The commands of `ecoguard`."""
