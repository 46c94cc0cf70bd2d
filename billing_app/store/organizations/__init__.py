"""Queries: organizations."""
