"""Processes and ways of voting."""
