"""What a request may say and what an answer holds, read from the installed Stripe SDK's own types."""
