"""Subscriptions and their invoices: periods, lines, prorations, payment and what follows when it fails."""
