"""Use cases: operators."""
