"""Use cases: notifications."""
