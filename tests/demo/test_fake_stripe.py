"""The demo's subscribers are real ones at the fake Stripe: what the page shows of them, portal and preview included."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from billing_app import clock
from billing_app.db import Database
from billing_app.demo import fake_stripe, told
from billing_app.demo.people import LARKFIELD, MARLOW
from billing_app.domain.purchases.subscriptions import BillingInterval, When
from billing_app.gateways.stripe.payments import connected
from billing_app.services.common.context import Context
from billing_app.services.common.organizations import by_address
from billing_app.services.notifications import fan_out, webhook_endpoints
from billing_app.services.plans import changes, read
from billing_app.services.subscriptions.views_plan import PlanView
from billing_app.settings import Settings
from tests.support.shop import Shop
from tests.support.shop import shared_fake_stripe as server


@pytest.fixture
def settings() -> Settings:
    """The demo's, with an account of its own at the fake Stripe."""
    key = SecretStr(f"sk_test_{secrets.token_hex(16)}")
    return Settings(
        demo=True, stripe_api_secret=key, stripe_webhook_secret=SecretStr("whsec_demo"), stripe_api_base=server().url
    )


@pytest.fixture
def now(now: datetime) -> datetime:
    """When the story ends, or today where that has passed: clocks of the fake Stripe that run are never behind ours."""
    return max(now, clock.now())


def shown(database: Database, settings: Settings, address: str, now: datetime) -> PlanView:
    with database.reading() as session:
        return read.plan_view(Context(session, by_address(session, address), now), settings)


def test_one_subscribes_and_one_is_behind_within_its_grace(demo: Database, settings: Settings, now: datetime) -> None:
    fake_stripe.stage(demo, settings, now)
    paying, behind = (shown(demo, settings, each.address, now) for each in (LARKFIELD, MARLOW))
    assert paying.subscription is not None
    assert behind.subscription is not None
    assert (paying.plan.id, paying.subscription.status, paying.subscription.interval) == (
        "essential",
        "active",
        "month",
    )
    assert paying.subscription.period_end == paying.period.end
    assert (behind.plan.id, behind.subscription.status, behind.subscription.interval) == (
        "essential", "past_due", "year",
    )  # fmt: skip
    assert behind.subscription.grace_ends_at is not None
    assert timedelta(days=4) < behind.subscription.grace_ends_at - now < timedelta(days=7)


def test_portal_invoices_and_preview_work(demo: Database, settings: Settings, now: datetime) -> None:
    fake_stripe.stage(demo, settings, now)
    payments = connected(settings.stripe_api_secret.get_secret_value(), settings.stripe_api_base)
    larkfield = Shop(demo, address=LARKFIELD.address, clock=lambda: now)
    seen = changes.preview(larkfield.enter, payments, "pro", BillingInterval.MONTH)
    assert (seen.when, seen.due_cents > 0) == (When.NOW, True)
    assert len(changes.invoices(larkfield.enter, payments)) >= 8
    assert changes.portal(larkfield.enter, payments, "https://console.example").startswith("http")


def test_a_second_start_makes_nothing_twice_and_lets_time_pass(
    demo: Database, settings: Settings, now: datetime
) -> None:
    fake_stripe.stage(demo, settings, now)
    fake_stripe.stage(demo, settings, now)
    later = now + timedelta(days=20)
    fake_stripe.stage(demo, settings, later)
    renewed = shown(demo, settings, LARKFIELD.address, later)
    assert renewed.subscription is not None
    assert renewed.subscription.period_end == renewed.period.end > later
    assert shown(demo, settings, MARLOW.address, later).plan.id == "free"


def test_the_receiver_is_told_of_the_last_days(demo: Database, settings: Settings, now: datetime) -> None:
    local = settings.model_copy(update={"public_url": "http://127.0.0.1:3000"})
    told.stage(demo.ticking(lambda: now), local, now)
    with demo.writing() as session:
        larkfield = by_address(session, LARKFIELD.address)
        (endpoint,) = webhook_endpoints.ever(session, larkfield)
        assert endpoint.created_at == now - told.SINCE
        assert fan_out.fan_out(session, larkfield.pk, now, mailing=False) > 0
