"""Pages: frame."""
