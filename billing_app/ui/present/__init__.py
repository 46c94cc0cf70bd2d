"""From facts to what a screen shows: pure functions from views to small records of text. No Reflex, no database."""
