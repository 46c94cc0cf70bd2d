"""Queries: common."""
