"""What can be said to Stripe's own test mode as well as to the fake Stripe: the same tests, whichever answers."""
