"""Use cases, one per function. They take a session and `now`, and never commit."""
