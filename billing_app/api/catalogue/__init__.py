"""Routes and shapes: catalogue."""
