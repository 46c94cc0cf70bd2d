"""Routes and shapes: organizations."""
