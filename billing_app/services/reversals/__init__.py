"""Use cases: reversals."""
