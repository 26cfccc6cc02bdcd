"""Fault drills with real processes: a model server that misbehaves on demand, and a soak."""
