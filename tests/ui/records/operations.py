"""What an operator watches of the records: events, comparisons, recounts, one customer, and refunds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from billing_app.domain.credits.entitlements import MeterState
from billing_app.services.common.answers import filled
from billing_app.services.credits.views import GrantLabel, GrantSource
from billing_app.services.operators.views_customer import CustomerView, GrantLine, OrderLine, StandingLine
from billing_app.services.operators.views_operations import (
    EventAnswer,
    EventsView,
    EventWithPayloadAnswer,
    FindingAnswer,
    ReconciliationView,
    RecountAnswer,
    RecountsView,
    ReportAnswer,
    RunAnswer,
)
from billing_app.services.reversals.views import RefundPreviewAnswer
from tests.ui.records.facts import SMS

NOW = datetime(2025, 11, 21, 14, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)

FAILED = EventAnswer(
    "evt_1", "refund.created", "failed", "re_1", "cus_1", "", "", 25, NOW - HOUR, NOW - HOUR, None, None,
    "Given up after 25 tries: Stripe cannot be reached now.",
)  # fmt: skip
HANDLED = EventAnswer(
    "evt_2", "checkout.session.completed", "handled", "cs_1", "cus_1", "meridian", "Meridian Apps", 1,
    NOW - 2 * HOUR, NOW - 2 * HOUR, NOW - 2 * HOUR, None, "",
)  # fmt: skip

RUN = RunAnswer(
    7, "schedule", False, "finished", NOW - 720 * HOUR, NOW - HOUR, NOW - HOUR, 8, 8, "", 1_234, 2, 1, ""
)  # fmt: skip
FINDINGS = (
    FindingAnswer(
        "reversal_missed", "A refund of $6.50 was not known here.", True, "re_1", "meridian", "Meridian", NOW
    ),
    FindingAnswer(
        "reversal_missed", "A refund of $1.00 was not known here.", True, "re_2", "meridian", "Meridian", NOW
    ),
    FindingAnswer("unknown_order", "$9.00 were paid for nothing here.", False, "cs_9", "", "", NOW),
)  # fmt: skip

GRANT = GrantLine(
    "gr_1", SMS, GrantLabel(GrantSource.PACK, 100, "", 650, "USD"), 100, 20, 0, 0, NOW - 24 * HOUR, None,
    0, 0, 650, False, False,
)  # fmt: skip


def events(opened: str = "") -> tuple[EventsView, EventWithPayloadAnswer | str | None]:
    """One that was given up and one that was handled; what is opened, or that it is not there."""
    found = EventsView(NOW, (FAILED, HANDLED), "", ("checkout.session.completed", "refund.created"), 0, 0)
    if not opened:
        return found, None
    return found, filled(
        EventWithPayloadAnswer, FAILED, payload={"id": "evt_1"}
    ) if opened == FAILED.id else f"No event {opened!r} was received."


def reconciliation() -> ReconciliationView:
    """Two differences of one sort that were repaired, and one that needs somebody."""
    return ReconciliationView(NOW, filled(ReportAnswer, RUN, findings=FINDINGS), (RUN,), "", NOW + HOUR, selling=True)


def recounts() -> RecountsView:
    """Nobody is behind."""
    run = RecountAnswer(3, "schedule", NOW, NOW - HOUR, NOW - HOUR, 12, 4, 31, 210, "", 0)
    return RecountsView(NOW, (run,), "", NOW + HOUR, behind=0)


def customer(amount_cents: int | None) -> CustomerView:
    """With what a refund of the grant `gr_1` would do."""
    cents = 650 if amount_cents is None else amount_cents
    shown = RefundPreviewAnswer(
        "gr_1", "meridian", "sms", 100, "100 SMS pack", 650, 0, 650, "usd", cents, cents * 20 // 650, 0,
        cents * 80 // 650, 0, False,
    )  # fmt: skip
    return CustomerView(
        now=NOW,
        address="meridian",
        name="Meridian Apps",
        plan_name="Pro",
        members=12,
        created_at=NOW - 8_000 * HOUR,
        customer_id="cus_1",
        standings=(StandingLine(SMS, MeterState.USING_CREDITS, 80, 0, 20, 0, 0),),
        grants=(GRANT,),
        orders=(OrderLine("or_1", "packs", "paid", 650, "usd", NOW, ""),),
        events=(HANDLED,),
        selling=True,
        preview=shown if cents <= 650 else None,
        preview_metric=SMS,
        why_not="" if cents <= 650 else "Refund between 1 and 650.",
    )
