"""People's ways through the served product in a real Chromium: production build, a fake Stripe, the demo's data."""
