"""Use cases: processes."""
