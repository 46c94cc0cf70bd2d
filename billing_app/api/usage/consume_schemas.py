"""Using what is asked for first: consume and reservations. Quantities are whole numbers in the metric's base unit."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from billing_app.api.common.schemas import WHOLE, Answer, Name, Quantity, Request
from billing_app.services.usage.consumption import DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S, Mode

Timeout = Annotated[int, Field(strict=True, ge=-(2**31), le=2**31), WHOLE]
"""Seconds. Anything from 1 to a day is meant; the rest is answered with `invalid_timeout`, not with a wrong field."""


class ConsumeRequest(Request):
    """Takes `quantity` of a metric: all or nothing (`reject`), or as much as fits (`clamp`)."""

    metric: Name
    quantity: Quantity
    mode: Mode = Mode.REJECT


class ConsumeAnswer(Answer):
    """How much was taken, and where the metric stands after it. `allowance` null is unlimited."""

    accepted: int
    used: int
    allowance: int | None
    credits: int


class ReservationRequest(Request):
    """Holds `quantity` of a metric for `timeout_s` seconds, at most a day."""

    metric: Name
    quantity: Quantity
    timeout_s: Timeout = Field(default=DEFAULT_TIMEOUT_S, description=f"1 to {MAX_TIMEOUT_S}")


class ConfirmRequest(Request):
    """What was really used; without `quantity` all that was reserved."""

    quantity: Quantity | None = None


class ReservationAnswer(Answer):
    """A quantity that is held until `holds_until`, or what became of it."""

    id: str
    metric: str
    quantity: int
    status: Literal["open", "confirmed", "released", "expired"]
    opened_at: datetime
    holds_until: datetime
    confirmed_quantity: int | None
