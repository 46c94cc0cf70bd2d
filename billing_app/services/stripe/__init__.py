"""Use cases: stripe."""
