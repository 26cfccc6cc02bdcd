"""Long work: recipes, progress, Ray."""
