"""One fake Stripe for all of these tests; each test has an account of its own and, if it wants, a webhook listener."""

import secrets
from collections.abc import Iterator

import pytest

from tests.fake_stripe.account import TestAccount
from tests.fake_stripe.listener import Listener
from tests.fake_stripe.process import FakeStripeServer, shared_fake_stripe


@pytest.fixture
def server() -> FakeStripeServer:
    """The shared process."""
    return shared_fake_stripe()


@pytest.fixture
def key() -> str:
    """A fresh key, hence an empty account."""
    return f"sk_test_{secrets.token_hex(16)}"


@pytest.fixture
def account(server: FakeStripeServer, key: str) -> Iterator[TestAccount]:
    """The real SDK, and the control API, on that account."""
    with TestAccount(server.url, key) as made:
        yield made


@pytest.fixture
def listener(account: TestAccount) -> Iterator[Listener]:
    """A webhook endpoint that is registered, verifies every signature and keeps what it was sent."""
    with Listener() as listening:
        account.control("PUT", "/webhook-endpoint", url=listening.url, secret=listening.secret)
        yield listening
