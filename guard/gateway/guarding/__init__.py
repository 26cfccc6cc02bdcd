"""EcoGuard as a guard for others: screening that calls no model."""
