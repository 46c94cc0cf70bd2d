"""The portable form of the rules: JSON scenarios played against a fresh database (credits.md, Scenarios)."""
