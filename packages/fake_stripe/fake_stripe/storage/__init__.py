"""State in one SQLite file: nothing that matters lives in memory only."""
