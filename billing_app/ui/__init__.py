"""All of Reflex: theme, routes, the frame, pages and charts. Handlers open nothing themselves; `desk` does."""
