"""Queries: catalogue."""
