"""The connection to one Stripe account, and its errors as ours. Every `stripe_*` module of calls builds on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

import stripe
import structlog

from billing_app.domain.errors import ConflictError, InvalidError, NotFoundError, UnavailableError
from billing_app.gateways.payments import Account

log = structlog.get_logger()

TIMEOUT_SECONDS = (5.0, 25.0)
"""To connect, and between two bytes of an answer. Stripe's slowest calls take some seconds."""

MAX_RETRIES = 2
"""The SDK's own, after network errors, conflicts and 5xx; it never retries a 429, which is for jobs to wait out."""

MAX_LISTED = 100
"""Objects that Stripe gives in one list; five times the lines of our baskets."""

MISSING = "resource_missing"


class StripeConnection:
    """One Stripe account, by one key. Safe to share between threads."""

    def __init__(self, api_secret: str, api_base: str = "") -> None:
        """`api_base` is another address of the API: the stand-in's."""
        self._live = "_live_" in api_secret
        self._account: Account | None = None
        # Proxies are for the way out of this machine.
        client = stripe.RequestsClient(timeout=TIMEOUT_SECONDS)
        if urlsplit(api_base).hostname in ("127.0.0.1", "localhost", "::1"):
            session = client.requests.Session()
            session.trust_env = False
            client = stripe.RequestsClient(timeout=TIMEOUT_SECONDS, session=session)
        self._v1 = stripe.StripeClient(
            api_secret,
            base_addresses={"api": api_base} if api_base else {},
            max_network_retries=MAX_RETRIES,
            http_client=client,
        ).v1

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
            "This was begun before with other contents. Begin again.", code="payments_conflict"
        ) from None
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        if missing and error.code == MISSING:
            raise NotFoundError(f"Stripe knows no such {missing}.", code=f"{missing}_not_found") from None
        _log(error)
        raise InvalidError(f"Stripe refused this: {error.user_message or error}", code="payments_refused") from None
    except stripe.RateLimitError as error:
        _log(error)
        raise UnavailableError(
            "Stripe is asked too often just now. Try again in a moment.", code="payments_busy", retry_after=1
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
