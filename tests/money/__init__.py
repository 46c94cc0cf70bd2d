"""The proof that money is safe: whatever Stripe really does to those who listen to it, books agree in the end."""
