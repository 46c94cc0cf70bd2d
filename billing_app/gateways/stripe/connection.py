"""The connection to one Stripe account, and its errors as ours. Every other module of calls builds on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote_plus, urlsplit

import stripe

from billing_app.domain.common.errors import ConflictError, InvalidError, NotFoundError, UnavailableError
from billing_app.gateways.payments import Account, Customer, GoneError, GoneKind, OpenCheckout
from billing_app.gateways.stripe import mapping as reading
from billing_app.log import get_logger

log = get_logger()

TIMEOUT_SECONDS = (5.0, 25.0)
"""To connect, and between two bytes of an answer. Stripe's slowest calls take some seconds."""

MAX_RETRIES = 2
"""The SDK's own, after network errors, conflicts and 5xx; it never retries a 429, which is for jobs to wait out."""

MAX_LISTED = 100
"""Objects that Stripe gives in one list; five times the lines of our baskets."""

MISSING = "resource_missing"

REPLAYED = "idempotent-replayed"
"""The header of an answer that was given before, to a request with the same idempotency key."""

MAX_REPLACED = 20
"""How often one thing may go and be made anew within the day for which Stripe keeps keys."""

MAX_KEY = 255
"""Characters of an idempotency key."""

NAMED_BY = {
    "customer": GoneKind.CUSTOMER,
    "default_payment_method": GoneKind.PAYMENT_METHOD,
    "payment_method": GoneKind.PAYMENT_METHOD,
    "invoice": GoneKind.INVOICE,
}
"""Which parameters of ours name what, for when Stripe has no such thing (any more)."""

READS = {
    "checkout.sessions.line_items.list": "/v1/checkout/sessions/{}/line_items",
    "checkout.sessions.list": "/v1/checkout/sessions",
    "checkout.sessions.retrieve": "/v1/checkout/sessions/{}",
    "customers.list": "/v1/customers",
    "disputes.list": "/v1/disputes",
    "events.list": "/v1/events",
    "events.retrieve": "/v1/events/{}",
    "invoices.line_items.list": "/v1/invoices/{}/lines",
    "invoices.list": "/v1/invoices",
    "invoices.retrieve": "/v1/invoices/{}",
    "prices.list": "/v1/prices",
    "refunds.list": "/v1/refunds",
    "subscriptions.list": "/v1/subscriptions",
    "subscriptions.retrieve": "/v1/subscriptions/{}",
}
"""The addresses of what is read most, by the names that the SDK has for them."""

Look = Callable[[str], Mapping[str, Any] | None]
"""Reads an object as it is now, by its id; None if it is there no more, or is of no use any more."""


class StripeConnection:
    """One Stripe account, by one key. Safe to share between threads."""

    def __init__(self, api_secret: str, api_base: str = "") -> None:
        """`api_base` is another address of the API: the fake Stripe's."""
        self._live = "_live_" in api_secret
        self._account: Account | None = None
        # Proxies are for the way out of this machine.
        client = stripe.RequestsClient(timeout=TIMEOUT_SECONDS)
        if urlsplit(api_base).hostname in ("127.0.0.1", "localhost", "::1"):
            session = client.requests.Session()
            session.trust_env = False
            client = stripe.RequestsClient(timeout=TIMEOUT_SECONDS, session=session)
        self._client = stripe.StripeClient(
            api_secret,
            base_addresses={"api": api_base} if api_base else {},
            max_network_retries=MAX_RETRIES,
            http_client=client,
        )
        self._v1 = self._client.v1

    def account(self) -> Account:
        """Whose key this is; asked once."""
        if self._account is None:
            with translated():
                try:
                    found = self._v1.accounts.retrieve_current().id
                except stripe.PermissionError:
                    found = ""  # a restricted key may do all that we need without being told whose it is
            self._account = Account(found, self._live)
        return self._account

    def _read(self, operation: str, *ids: str, **asked: Any) -> dict[str, Any]:
        """What one of READS answers, as it was sent. To be called inside of `translated`.

        The SDK would make an object of each of its parts first, which takes longer than all the rest of a call.
        """
        return self._client.raw_request("get", READS[operation].format(*map(quote_plus, ids)), **asked).data

    def _once(self, key: str, make: Callable[[str], Any], look: Look) -> Mapping[str, Any]:
        """Makes something once per `key`, and never trusts an answer that Stripe gives for the second time.

        Stripe repeats its first answer for a day, whatever has become of the object since. So a repeated one is looked
        at; what is gone by then, or is of no use any more, is made anew under a key that follows from the old object:
        all who find it gone, at once or after a crash, make the same new one. To be called inside of `translated`.
        """
        following = _shortened(key)
        for _ in range(MAX_REPLACED):
            made = make(following)
            if not replayed(made):
                return made.to_dict()
            found = look(made.id)
            if found is not None:
                return found
            following = _shortened(f"{key}:after:{made.id}")
        raise ConflictError("This was removed at Stripe again and again. Try again tomorrow.", code="payments_conflict")


def replayed(answer: Any) -> bool:
    """Whether Stripe had given this answer before."""
    response = answer.last_response
    return response is not None and any(
        name.lower() == REPLAYED and value == "true" for name, value in response.headers.items()
    )


def unless_gone(retrieve: Callable[[], Any]) -> Mapping[str, Any] | None:
    """An object as it is; None for one that was deleted."""
    try:
        found = retrieve().to_dict()
    except stripe.InvalidRequestError as error:
        if error.code != MISSING:
            raise
        return None
    return None if found.get("deleted") else found


def _shortened(key: str) -> str:
    return key if len(key) <= MAX_KEY else f"{key[:100]}:{digest(key)}"


@contextmanager
def translated(missing: str = "") -> Generator[None]:
    """Stripe's errors as ours. Whatever they say of the key stays here."""
    try:
        yield
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        _log(error)
        raise UnavailableError(
            "Stripe refuses the key of this console: the operator must set a valid one.", code="payments_misconfigured"
        ) from None
    except stripe.IdempotencyError as error:
        _log(error)
        raise ConflictError(
            "This was started before with other contents. Start again.", code="payments_conflict"
        ) from None
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        if missing and error.code == MISSING:
            raise NotFoundError(f"Stripe has no such {missing}.", code=f"{missing}_not_found") from None
        _log(error)
        if error.code == MISSING and (kind := NAMED_BY.get(error.param or "")) is not None:
            raise GoneError(f"Stripe refused this: {error.user_message or error}", kind) from None
        raise InvalidError(f"Stripe refused this: {error.user_message or error}", code="payments_refused") from None
    except stripe.RateLimitError as error:
        _log(error)
        raise UnavailableError(
            "Stripe receives too many requests just now. Try again in a moment.", code="payments_busy", retry_after=1
        ) from None
    except stripe.StripeError as error:
        _log(error)
        raise UnavailableError(
            "Stripe cannot be reached now. Try again in a moment.", code="payments_unreachable"
        ) from None


def _log(error: stripe.StripeError) -> None:
    """What is needed to find a call in Stripe's own log; its message may quote the key."""
    log.warning(
        "stripe_refused",
        error=type(error).__name__,
        status=error.http_status,
        code=error.code,
        stripe_request=error.request_id,
    )


def digest(content: object) -> str:
    """A short name of what something says, for idempotency keys."""
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


OPEN, EXPIRED, COMPLETE = "open", "expired", "complete"
"""Where a session may stand."""


class StripeSessions(StripeConnection):
    """Beginning hosted pages, and looking whether a customer is there."""

    def customer_there(self, customer_id: str) -> bool:
        """Whether the customer is still there; False for one that was deleted."""
        with translated():
            return self._customer(customer_id) is not None

    def customer(self, customer_id: str) -> Customer | None:
        """The customer as it stands now; None for one that was deleted."""
        with translated():
            found = self._customer(customer_id)
        return None if found is None else reading.customer(found)

    def _customer(self, customer_id: str) -> reading.Object | None:
        return unless_gone(lambda: self._v1.customers.retrieve(customer_id))

    def _begin_checkout(self, key: str, wanted: Mapping[str, Any]) -> OpenCheckout:
        """Begins a page, once per key. One that has expired meanwhile is followed by another; one that is done is told.

        Whoever comes back to one that is done is sent where its payer was sent.
        """

        def look(session_id: str) -> reading.Object | None:
            found = self._v1.checkout.sessions.retrieve(session_id).to_dict()
            if found["status"] == OPEN and self._customer(wanted["customer"]) is None:
                raise GoneError("This customer does not exist at Stripe any more.", GoneKind.CUSTOMER)
            return None if found["status"] == EXPIRED else found

        with translated():
            found = self._once(
                key,
                lambda once: self._v1.checkout.sessions.create(dict(wanted), {"idempotency_key": once}),  # ty: ignore[invalid-argument-type]
                look,
            )
        url = found.get("url") or ""
        if found["status"] == COMPLETE:
            url = wanted["success_url"].replace("{CHECKOUT_SESSION_ID}", found["id"])
        return OpenCheckout(found["id"], url, reading.moment(found["expires_at"]))
