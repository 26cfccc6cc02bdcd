"""Artifact folders: manifest, hashed files, and which version is in service."""
