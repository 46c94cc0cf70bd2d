"""Use cases: subscriptions."""
