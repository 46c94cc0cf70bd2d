"""Pages: usage."""
