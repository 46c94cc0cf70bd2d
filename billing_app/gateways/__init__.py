"""The outside world: payments, webhooks that leave us, mail."""
