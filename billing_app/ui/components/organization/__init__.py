"""Sections of the organization's page."""
