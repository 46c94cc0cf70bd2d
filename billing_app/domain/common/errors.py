"""The one error tree: a stable code, an HTTP status, and a sentence that a customer may read."""

from __future__ import annotations

from typing import Any


class BillingError(Exception):
    """Something the caller can understand and act on.

    `code` is stable and listed in docs/api.md; `status` is the HTTP status; `detail` is a sentence for a person;
    `fields` are extra numbers of the answer (limit, used, requested, ...).
    """

    status = 400
    code = "invalid_request"

    def __init__(self, detail: str, *, code: str | None = None, status: int | None = None, **fields: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        if code is not None:
            self.code = code
        if status is not None:
            self.status = status
        self.fields = fields


class InvalidError(BillingError):
    """The request says something that cannot be meant (422)."""

    status = 422


class FactRefusedError(InvalidError):
    """A fact (usage, grant, reservation) that the rules refuse; the codes are credits.md fine point 20."""


class CreditsExhaustedError(BillingError):
    """Nothing of a metric is left for what was asked (credits.md, The fast path)."""

    status = 402
    code = "credits_exhausted"


class NotFoundError(BillingError):
    """It does not exist, or not for this caller: the two look the same."""

    status = 404
    code = "not_found"


class ForbiddenError(BillingError):
    """The caller is known and may not do this."""

    status = 403
    code = "forbidden"


class UnauthenticatedError(BillingError):
    """Nobody is signed in, or the key is unknown."""

    status = 401
    code = "unauthenticated"


class ConflictError(BillingError):
    """It contradicts what is already recorded."""

    status = 409
    code = "conflict"


class TooManyAtOnceError(BillingError):
    """This caller has as much under way and waiting as one caller may (429)."""

    status = 429
    code = "too_many_at_once"


class UnavailableError(BillingError):
    """The state cannot be read now; never to be taken for a "no" (503)."""

    status = 503
    code = "unavailable"


class BusyError(UnavailableError):
    """More waits in this process than will be done in time; never to be taken for a "no" (503)."""

    code = "busy"
