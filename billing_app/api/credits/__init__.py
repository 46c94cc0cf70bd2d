"""Routes and shapes: credits."""
