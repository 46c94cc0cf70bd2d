"""Queries: usage."""
