"""The control API: what Stripe has no API for, because there people, banks or time do it."""

from fake_stripe.control.routes import Control

__all__ = ["Control"]
