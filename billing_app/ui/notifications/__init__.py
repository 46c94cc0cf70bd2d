"""Pages: notifications."""
