"""Attacks on a running proxy, made of our own generators: what gets through?"""
