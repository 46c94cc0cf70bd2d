"""Pages: stripe."""
