"""Pages: access."""
