"""The commands of `ecoguard-train`, a typer application each; `main` joins them."""
