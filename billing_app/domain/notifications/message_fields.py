"""What messages about an organization carry: fields with their meaning, and examples of them.

In capitals what a field means; in lower case what it may look like, as docs/notifications.md shows it.
"""

from __future__ import annotations

from typing import Any

METRIC = {"metric": "id of the metric"}
FIGURES = {
    "used": "used in the current period, in base units",
    "allowance": "what the plan includes per period; null is unlimited",
    "left": "credits that can be spent",
}
ENDING = {
    "grant": "id of the grant",
    "quantity": "credits, in base units",
    "expires_at": "when they end, RFC 3339",
}
MONEY = {"total_cents": "in the smallest unit of the currency", "currency": "ISO 4217, lower case"}
ORDER = {"order": "id of the order", "checkout": "id of the payment page at Stripe", **MONEY}
RENEWAL = {
    "subscription": "id of the subscription at Stripe",
    "invoice": "id of the invoice at Stripe",
    **MONEY,
    "failure": "a sentence for the payer, or empty",
    "pay_url": "where it can be paid, or empty",
}
GIVEN = {"quantity": "credits, in base units", "reason": "the reason, as in the ledger"}
TAKEN = {
    "payment": "id of the payment at Stripe",
    "amount_cents": "in the smallest unit of the currency",
    "currency": "ISO 4217, lower case",
    "reason": "a sentence, or Stripe's reason code, or empty",
    "grants": "the payment's grants, with `refunded_cents` and `taken_back` credits of each so far",
}
TOP_UP = {"attempt": "id of the attempt", **METRIC, "pack": "id of the pack", **MONEY}

an_ending = {"metric": "mau", "grant": "019ac1", "quantity": 12_000, "expires_at": "2026-12-01T09:00:00+00:00"}
a_figures = {"used": 20_250, "allowance": 20_000, "left": 24_750}
an_order = {"order": "or_1", "checkout": "cs_1", "total_cents": 4_900, "currency": "usd"}
a_bought = {
    "grant": "019ac1", "metric": "mau", "quantity": 50_000, "pack": "mau-50k", "paid_cents": 4_900,
    "expires_at": "2027-11-22T09:00:00+00:00",
}  # fmt: skip
a_renewal = {"subscription": "sub_1", "invoice": "in_1", "total_cents": 1_200, "currency": "usd"}
a_given = {
    "grant": "019ac1", "metric": "mau", "quantity": 1_000, "pack": None, "paid_cents": 0,
    "expires_at": "2027-11-22T09:00:00+00:00",
}  # fmt: skip
a_taken = {
    "payment": "pi_1", "amount_cents": 2_450, "currency": "usd", "reason": "requested_by_customer",
    "grants": [a_bought | {"refunded_cents": 2_450, "taken_back": 25_000}],
}  # fmt: skip
a_top_up = {"attempt": "tu_1", "metric": "mau", "pack": "mau-10k", "total_cents": 1_400, "currency": "usd"}

SUBSCRIPTION = {
    "subscription": "id of the subscription at Stripe",
    "plan": "id of the plan",
    "status": "Stripe's status now",
    "before": "Stripe's status before",
    "period_end": "end of the paid period, RFC 3339",
    "current": "whether it is the one that decides the organization's plan",
}


def a_subscription(status: str, before: str) -> dict[str, Any]:
    """What is told of a subscription that was `before` and is `status`."""
    return {
        "subscription": "sub_1", "plan": "pro", "status": status, "before": before,
        "period_end": "2026-12-22T09:00:00+00:00", "current": True,
    }  # fmt: skip
