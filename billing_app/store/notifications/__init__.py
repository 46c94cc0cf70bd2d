"""Queries: notifications."""
