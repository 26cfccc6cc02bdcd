"""The offline side: training, evaluation, the demo. May import `guard`, never the reverse."""
