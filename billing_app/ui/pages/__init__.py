"""One module per page: its State, which reads and shows, and its component."""
