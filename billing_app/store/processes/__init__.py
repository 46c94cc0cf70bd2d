"""Queries: processes."""
