"""How many random histories each law is tried on: few and always the same ones, or very many new ones."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

SLOW_IS_FINE = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)

settings.register_profile(
    "laws-short", max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=SLOW_IS_FINE
)
settings.register_profile(
    "laws-long", max_examples=20_000, deadline=None, database=None, suppress_health_check=SLOW_IS_FINE, print_blob=True
)

LONG = "long" in (os.environ.get("BILLING_TEST_PROFILE"), settings.get_current_profile_name())
"""`BILLING_TEST_PROFILE=long`, or hypothesis' own choice of the profile `long` for the whole run."""

law = settings.get_profile("laws-long" if LONG else "laws-short")
"""Stands above `@given` of each law, and changes nothing for tests elsewhere."""
