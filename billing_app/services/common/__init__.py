"""Use cases: common."""
