"""Routes and shapes: access."""
