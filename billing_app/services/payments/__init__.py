"""Use cases: payments."""
