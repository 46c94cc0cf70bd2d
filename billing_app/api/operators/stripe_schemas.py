"""What operators watch and do about money: Stripe's events, comparisons, recounts, refunds."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from billing_app.api.common.schemas import WHOLE, Answer, Flag, Request
from billing_app.domain.common.texts import MAX_REASON
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.services.stripe.reconciliation import MAX_DAYS, WINDOW


class RunRequest(Request):
    """A comparison that is to begin. `dry_run` only says what would be repaired."""

    dry_run: Flag = False
    days: Annotated[int, Field(strict=True, ge=1, le=MAX_DAYS), WHOLE] = WINDOW.days


class StartedAnswer(Answer):
    """It runs by itself from here; `run` is the number of its report."""

    run: int


class RecountedAnswer(Answer):
    """What a recount came to."""

    organizations_seen: int
    organizations_changed: int
    entries: int


class RefundRequest(Request):
    """Money to give back for a grant; without an amount all that is left of its price."""

    amount_cents: Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY), WHOLE] | None = None
    reason: Annotated[str, StringConstraints(min_length=1, max_length=MAX_REASON)]
