"""Which Stripe answers: its own test mode when STRIPE_TEST_KEY is set, the fake Stripe otherwise."""

from __future__ import annotations

import os

import pytest

from billing_app.db import Database
from tests.real_stripe.customer import Customer

KEY = "STRIPE_TEST_KEY"


@pytest.fixture
def customer(database: Database) -> Customer:
    """An organization with a customer of its own on a test clock."""
    key = os.environ.get(KEY, "")
    assert not key or key.startswith(("sk_test_", "rk_test_")), f"{KEY} must be a key of test mode"
    return Customer(database, key)


@pytest.fixture
def fake(customer: Customer) -> Customer:
    """The same, for a test that needs the fake Stripe's control API: what people and banks do has no API at Stripe."""
    if customer.real:
        pytest.skip("needs the fake Stripe's control API: a hosted page is paid by a person")
    return customer
