"""Routes and shapes: usage."""
