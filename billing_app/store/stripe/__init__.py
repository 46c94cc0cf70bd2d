"""Queries: stripe."""
