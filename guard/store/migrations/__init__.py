"""Alembic's scripts, in the package so that every installation can run them."""
