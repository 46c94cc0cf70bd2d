"""Laws of credits.md as property tests over random histories, and a second reading of its rules to compare with."""
