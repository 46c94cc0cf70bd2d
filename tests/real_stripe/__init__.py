"""What can be said to Stripe's own test mode as well as to the stand-in: the same tests, whichever answers."""
