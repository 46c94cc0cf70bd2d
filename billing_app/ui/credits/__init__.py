"""Pages: credits."""
