"""The audit log in words says who did what."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from billing_app.services.audit import Entry
from billing_app.services.views.organization import AuditPage
from billing_app.ui.formats import Formats
from billing_app.ui.present.audit import audit_rows

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("actor", "source", "said"),
    [
        ("kim@example.org", "purchase", "kim@example.org bought credits"),
        ("kim@example.org", "gift_card", "kim@example.org redeemed a gift card for credits"),
        ("kim@example.org", "conversion", "kim@example.org converted tokens into credits"),
        ("recurring", "recurring", "The console renewed a monthly pack"),
        ("top_up", "top_up", "The console topped up"),
        ("op@example.org", "operator", "op@example.org granted credits"),
        ("command line", "operator", "An operator at the command line granted credits"),
    ],
)
def test_credits_came_in_by_what_brought_them(actor: str, source: str, said: str) -> None:
    entry = Entry(UUID(int=1), NOW, actor, actor, "grant.made", "gr_1", {}, {"source": source})
    (row,) = audit_rows(AuditPage((entry,), ""), NOW, Formats())
    assert f"{row.who} {row.did}" == said


def test_an_override_is_named_and_stripe_is_stripe() -> None:
    entry = Entry(UUID(int=1), NOW, "stripe", "stripe", "override.set", "voting_type ranked", {}, {"ranked": 1})
    (row,) = audit_rows(AuditPage((entry,), ""), NOW, Formats())
    assert f"{row.who} {row.did} {row.subject}" == "Stripe overrode the way of voting ranked"
