"""Use cases: plans."""
