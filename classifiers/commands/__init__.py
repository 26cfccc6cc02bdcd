"""The commands of `ecoguard-train`, a typer application each; `classifiers.cli` joins them."""
