"""The laboratory: the demo, test models, benches and drills. Nothing here is installed."""
