"""Pages: gift cards."""
