"""All of Reflex: theme, routes, the frame, pages and charts. What is stored they reach through `access` alone."""
