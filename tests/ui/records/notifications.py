"""The page of alerts of Meridian Apps."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from billing_app.domain.notifications.kinds import KINDS, kind_ids
from billing_app.services.notifications.views import (
    AlertsView,
    AttemptAnswer,
    AudienceView,
    DeliveryDetailAnswer,
    WebhookAnswer,
)
from tests.ui.records.facts import METRICS, NOW, PRO

MAILED = frozenset(kind.id for kind in KINDS if kind.mailed)
HOOK = UUID("01920000-0000-7000-8000-000000000001")
SECRET = "whsec_c2hvd24gb25jZSBhbmQgbmV2ZXIgYWdhaW4="
BODY = '{"type": "metric.blocked", "timestamp": "2025-11-21T14:00:00Z", "data": {"metric": "mau"}}'


def alerts(address: str, state: str, opened: str) -> AlertsView:
    """Two roles, one person and one endpoint at Meridian; nothing yet at Fresh Start."""
    fresh = address == "fresh-start"
    roles = tuple(
        AudienceView(f"role:{role}", "mail", name, MAILED if role != "member" else frozenset(), people=people)
        for role, name, people in (("admin", "Admins", 2), ("billing", "Billing", 1), ("member", "Members", 14))
    )
    person = AudienceView("person:1", "mail", "Ben Ito", MAILED, email="ben@meridian.example")
    hook = AudienceView(f"endpoint:{HOOK}", "webhook", "https://hooks.meridian.example/billing", frozenset(kind_ids()))
    endpoint = WebhookAnswer(
        HOOK, "https://hooks.meridian.example/billing", "Team chat", NOW - timedelta(days=90), None, None, "", None,
        NOW - timedelta(hours=10),
    )  # fmt: skip
    found = () if fresh else tuple(each for each in deliveries() if state in ("", each.state))
    return AlertsView(
        now=NOW,
        mail=not fresh,
        kinds=KINDS,
        audiences=roles if fresh else (*roles, person, hook),
        others=(("cleo@meridian.example", "Cleo Park"),),
        endpoints=() if fresh else (endpoint,),
        deliveries=found,
        more=False,
        opened=next((each for each in found if str(each.id) == opened), None),
        example=(METRICS[0], PRO[METRICS[0].id]),
    )


def deliveries() -> list[DeliveryDetailAnswer]:
    """One that waits, one that arrived, one that was given up."""
    return [
        delivery(3, "waiting", "MAU: 90 % of the plan is used", "plan.usage", 503),
        delivery(2, "delivered", "Your purchase is paid", "purchase.paid", 204),
        delivery(1, "failed", "MAU is blocked", "metric.blocked", 500),
    ]


def delivery(number: int, state: str, title: str, kind: str, status: int) -> DeliveryDetailAnswer:
    """A delivery to the endpoint."""
    at = NOW - timedelta(hours=12 - number)
    error = "" if status < 300 else f"It answered {status}."
    log = AttemptAnswer(1, at, 128, status, error, "" if status == 204 else "try later")
    return DeliveryDetailAnswer(
        id=UUID(int=number), message_id=f"msg_{number}", kind=kind, title=title, channel="webhook", target=HOOK,
        address="https://hooks.meridian.example/billing", state=state, attempts=1, occurred_at=at, created_at=at,
        next_try_at=NOW + timedelta(minutes=5) if state == "waiting" else None,
        finished_at=None if state == "waiting" else at, last=log, body=BODY, log=(log,),
    )  # fmt: skip
