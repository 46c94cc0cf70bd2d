"""People's ways through the served product in a real Chromium: production build, Stripe's stand-in, the demo's data."""
