"""Routes and shapes: notifications."""
