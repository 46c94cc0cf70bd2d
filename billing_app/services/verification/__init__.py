"""Use cases: verification."""
