"""Pages: purchases."""
