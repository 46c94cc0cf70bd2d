"""Pages: organizations."""
