"""Stripe, through its own unmodified SDK: what `gateways/payments.py` and its neighbours ask for."""
