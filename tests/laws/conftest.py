"""How many random histories each law is tried on: few and always the same ones, or very many."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

SLOW_IS_FINE = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)

settings.register_profile(
    "short", max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=SLOW_IS_FINE
)
settings.register_profile(
    "long", max_examples=20_000, deadline=None, database=None, suppress_health_check=SLOW_IS_FINE, print_blob=True
)
settings.load_profile(os.environ.get("BILLING_TEST_PROFILE", "short"))
