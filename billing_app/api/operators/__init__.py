"""Routes and shapes: operators."""
