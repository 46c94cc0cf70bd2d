"""Routes and shapes: processes."""
