"""The sentence of a ledger row: why these credits moved, for a person."""

from __future__ import annotations

from collections.abc import Mapping

from billing_app.domain.credits.postings import Posting
from billing_app.services.common.months import month_label
from billing_app.store.credits.grants import GrantLabel

LATE_USE = "Late use"
LATE_CORRECTION = "Late correction of use"


def is_late(reason: str) -> bool:
    """Whether a row's reason says that it was heard of after its period had ended."""
    return reason.startswith((LATE_USE, LATE_CORRECTION))


def reason_for(posting: Posting, grants: Mapping[str, GrantLabel]) -> str:
    """Why the credits of a posting moved."""
    bucket = posting.bucket
    grant = grants.get(bucket.grant_id or bucket.origin or "")
    month = month_label(bucket.period)
    late = LATE_USE if posting.quantity < 0 else LATE_CORRECTION
    texts = {
        "grant": grant.reason if grant else "Credits granted",
        "burn": f"{late} in {month}" if posting.late else f"Use above the plan in {month}",
        "release": f"{late} in {month}" if posting.late else f"Use above the plan fell in {month}",
        "expire": "Unused credits expired" if posting.quantity < 0 else "Expired credits had been used after all",
        "void": grant_action("Credits voided", posting),
        "refund": "Refunded" if posting.quantity < 0 else "Refund failed",
        "hold": "Payment disputed: on hold",
        "unhold": "Dispute closed: hold ended",
        "debt": "Refunded credits had been used: owed" if posting.quantity < 0 else "Debt cancelled",
        "settle": "Debt paid" if bucket.grant_id is None else "Paid a debt of an earlier refund",
        "convert": "Tokens converted",
    }
    return texts[posting.kind]


def grant_action(text: str, posting: Posting) -> str:
    """`text`, or that it was taken back."""
    return text if posting.quantity < 0 else f"{text}: taken back"
