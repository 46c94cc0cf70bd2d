"""Routes and shapes: common."""
