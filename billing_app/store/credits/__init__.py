"""Queries: credits."""
