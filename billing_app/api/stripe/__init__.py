"""Routes and shapes: stripe."""
