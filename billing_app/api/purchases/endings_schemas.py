"""An organization that ends: what it pays for, and when it is over."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from billing_app.api.common.schemas import Answer, Request


class EndsWhen(StrEnum):
    """When an organization ends."""

    NOW = "now"
    PERIOD_END = "period_end"


class PaidThingAnswer(Answer):
    """One thing that is paid for. `kind` is plan, pack, top_up (its monthly cap) or order (a page that may be paid).

    `price_cents` per `interval`; empty where it is not a subscription. `until` is when what is paid runs out; `state`
    says whether it is "paid", on "trial" until then, or "owed".
    """

    kind: str
    name: str
    price_cents: int
    currency: str
    interval: str
    until: datetime | None
    state: str


class EndingPartAnswer(Answer):
    """A sub-organization that ends with it, and what it pays for by itself."""

    address: str
    name: str
    pays: list[PaidThingAnswer]


class EndingAnswer(Answer):
    """What an organization pays for, and how it ends. `decided_at` is null while nobody has decided that it does.

    `ends_at` is when it is over, or would be if it ended with what is paid. `told`: Stripe knows. `done`: it is over.
    `error` is why Stripe could not be told yet; that is tried again. `scope` "payments": it was deactivated, and only
    what it pays for ends.
    """

    pays: list[PaidThingAnswer]
    parts: list[EndingPartAnswer]
    ends_at: datetime
    scope: str
    at_period_end: bool
    decided_at: datetime | None
    reason: str
    told: bool
    done: bool
    error: str


class EndingRequest(Request):
    """Ends the organization `now`, or when everything that is paid has run out (`period_end`)."""

    when: EndsWhen = EndsWhen.PERIOD_END
    reason: Annotated[str, Field(max_length=500)] = ""
