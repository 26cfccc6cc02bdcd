"""The guard in other guards' forms: who speaks one of them can use EcoGuard without the proxy."""
