"""Use cases: limits."""
