"""An organization that ends: what it pays for, and when it is over."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from billing_app.api.common.schemas import Request


class EndsWhen(StrEnum):
    """When an organization ends."""

    NOW = "now"
    PERIOD_END = "period_end"


class EndingRequest(Request):
    """Ends the organization `now`, or when everything that is paid has run out (`period_end`)."""

    when: EndsWhen = EndsWhen.PERIOD_END
    reason: Annotated[str, Field(max_length=500)] = ""
