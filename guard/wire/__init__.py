"""The protocols EcoGuard speaks: one module each, with its closed field table and its envelopes."""
