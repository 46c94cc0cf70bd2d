"""Pages: recounts."""
