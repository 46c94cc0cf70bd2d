"""Use cases: credits."""
