"""A fake Stripe: its own HTTP server, state, hosted pages and signed webhooks.

It exists so that a new user needs no account and tests speak real HTTP. It is our reading of Stripe's public
documents, not Stripe: what it does not know it refuses instead of guessing. It imports nothing else of ours.
"""
