"""The HTTP API: every route of docs/api.md, and what stands around pages and API alike."""
