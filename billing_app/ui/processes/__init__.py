"""Pages: processes."""
