"""Routes and shapes: overview."""
