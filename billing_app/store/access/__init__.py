"""Queries: access."""
