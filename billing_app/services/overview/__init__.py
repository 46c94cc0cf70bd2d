"""Use cases: overview."""
