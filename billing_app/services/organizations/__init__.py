"""Use cases: organizations."""
