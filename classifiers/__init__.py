"""EcoGuard's offline side: training, evaluation and the demo. May import `guard`, never the reverse."""
