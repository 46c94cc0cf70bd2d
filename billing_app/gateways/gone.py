"""What the provider has no more although we keep its id: somebody deleted, archived or detached it there."""

from __future__ import annotations

from enum import StrEnum

from billing_app.domain.common.errors import InvalidError


class Kind(StrEnum):
    """What it was that is gone."""

    CUSTOMER = "customer"
    PAYMENT_METHOD = "payment_method"
    INVOICE = "invoice"


class GoneError(InvalidError):
    """Something was named that is not there any more; nothing was done. Whoever keeps its id makes another."""

    code = "payments_refused"

    def __init__(self, detail: str, kind: Kind) -> None:
        super().__init__(detail)
        self.kind = kind
