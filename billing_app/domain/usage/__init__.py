"""Usage: how events add up, which ones are accepted, and whose they were."""
