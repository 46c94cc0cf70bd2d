"""Credits: what a grant is, and where each of its credits is at a moment (docs/credits.md)."""
