"""Measurements on real data and beside other proxies; nothing here is installed."""
