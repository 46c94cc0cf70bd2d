"""What requests and answers look like: the shapes of docs/api.md as pydantic models."""
