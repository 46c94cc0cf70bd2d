"""What an operator watches of the samples: events, comparisons, recounts, one customer, and refunds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from billing_app.domain.common.errors import ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError
from billing_app.domain.credits.entitlements import MeterState
from billing_app.services.credits.views import GrantLabel, GrantSource
from billing_app.services.operators.views_customer import CustomerView, GrantLine, OrderLine, StandingLine
from billing_app.services.operators.views_operations import (
    EventFilters,
    EventLine,
    EventsView,
    EventView,
    FindingView,
    ReconciliationView,
    RecountRunView,
    RecountsView,
    ReportView,
    RunView,
)
from billing_app.services.reversals.views import RefundPreview, RefundView
from tests.ui.samples.facts import SMS

NOW = datetime(2025, 11, 21, 14, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)

FAILED = EventLine(
    "evt_1", "refund.created", "failed", "re_1", "cus_1", "", "", 25, NOW - HOUR, NOW - HOUR, None, None,
    "Given up after 25 tries: Stripe cannot be reached now.",
)  # fmt: skip
HANDLED = EventLine(
    "evt_2", "checkout.session.completed", "handled", "cs_1", "cus_1", "meridian", "Meridian Apps", 1,
    NOW - 2 * HOUR, NOW - 2 * HOUR, NOW - 2 * HOUR, None, "",
)  # fmt: skip

RUN = RunView(
    7, "schedule", False, "finished", NOW - 720 * HOUR, NOW - HOUR, NOW - HOUR, 8, 8, "", 1_234, 2, 1, ""
)  # fmt: skip
FINDINGS = (
    FindingView("reversal_missed", "A refund of $6.50 was not known here.", True, "re_1", "meridian", "Meridian", NOW),
    FindingView("reversal_missed", "A refund of $1.00 was not known here.", True, "re_2", "meridian", "Meridian", NOW),
    FindingView("unknown_order", "$9.00 were paid for nothing here.", False, "cs_9", "", "", NOW),
)

GRANT = GrantLine(
    "gr_1", SMS, GrantLabel(GrantSource.PACK, 100, "", 650, "USD"), 100, 20, 0, 0, NOW - 24 * HOUR, None,
    0, 0, 650, False, False,
)  # fmt: skip


class SampleOperations:
    """The part of an operator's desk that is about Stripe and recounts."""

    def stripe_events(self, filters: EventFilters, cursor: str) -> EventsView:
        lines = tuple(each for each in (FAILED, HANDLED) if filters.type in ("", each.type))
        return EventsView(NOW, lines, "", ("checkout.session.completed", "refund.created"), 0, 0)

    def stripe_event(self, event_id: str) -> EventView:
        if event_id != FAILED.id:
            raise NotFoundError(f"No event {event_id!r} was received.")
        return EventView(FAILED, '{"id": "evt_1"}')

    def reconciliation(self, run: int, cursor: str) -> ReconciliationView:
        return ReconciliationView(NOW, ReportView(RUN, FINDINGS), (RUN,), "", NOW + HOUR, selling=True)

    def ask_for_reconciliation(self) -> None:
        """Somebody wants it."""

    def recounts(self, cursor: str) -> RecountsView:
        run = RecountRunView(3, "schedule", NOW, NOW - HOUR, NOW - HOUR, 12, 4, 31, 210, "")
        return RecountsView(NOW, (run,), "", NOW + HOUR, behind=0)

    def customer(self, address: str, grant: str, amount_cents: int | None) -> CustomerView:
        if address != "meridian":
            raise NotFoundError("There is no such organization.")
        cents = 650 if amount_cents is None else amount_cents
        shown = RefundPreview(
            "gr_1", address, "sms", 100, "100 SMS pack", 650, 0, 650, "usd", cents, cents * 20 // 650, 0,
            cents * 80 // 650, 0, False,
        )  # fmt: skip
        return CustomerView(
            now=NOW,
            address=address,
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
            preview=shown if grant and cents <= 650 else None,
            preview_metric=SMS if grant else None,
            why_not="" if cents <= 650 else "Give back between 1 and 650.",
        )


class SampleOperationsDesks:
    """What talks to Stripe. Refunds above the price are refused, as by Stripe."""

    def replay_event(self, cookies: str, event_id: str) -> None:
        self._operator(cookies)

    def recount(self, cookies: str) -> None:
        self._operator(cookies)

    def refund(self, cookies: str, grant: str, amount_cents: int | None, reason: str, key: str) -> RefundView:
        self._operator(cookies)
        if not reason:
            raise InvalidError("Say why.", code="reason_required")
        return RefundView("rr_1", grant, "meridian", amount_cents or 0, "usd", reason, "", "done", "re_1", "", NOW)

    def _operator(self, cookies: str) -> None:
        if "sample_role=none" in cookies:
            raise UnauthenticatedError("Sign in to see this.")
        if "sample_role=operator" not in cookies:
            raise ForbiddenError("This is for operators only.")
