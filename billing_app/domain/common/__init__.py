"""Values and errors that every subject uses."""
