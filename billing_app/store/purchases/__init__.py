"""Queries: purchases."""
