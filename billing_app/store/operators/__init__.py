"""Queries: operators."""
