"""Routes and shapes: purchases."""
