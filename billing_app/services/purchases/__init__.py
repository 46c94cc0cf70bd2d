"""Use cases: purchases."""
