"""People's ways through the served product in a real Chromium: production build, one port, Stripe's stand-in, the demo."""
