"""Use cases: usage."""
