"""Routes and shapes: plans."""
