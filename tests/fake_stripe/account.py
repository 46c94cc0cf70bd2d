"""A test's own account in the fake Stripe: the unmodified SDK, the control API, and builders for what tests need."""

from functools import lru_cache
from types import TracebackType
from typing import Any

import httpx
import stripe

from tests.fake_stripe.answers import check
from tests.support.patience import PATIENCE_SECONDS


@lru_cache(maxsize=1)
def http() -> stripe.HTTPClient:
    """Its connections, for all accounts: a client of its own would read all certificates of the machine first."""
    session = stripe.RequestsClient().requests.Session()
    session.trust_env = False
    return stripe.RequestsClient(session=session)


class TestAccount:
    """`stripe` is the SDK's client; every object that a builder returns was checked against the SDK's classes."""

    __test__ = False

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.key = key
        self.stripe = stripe.StripeClient(key, base_addresses={"api": url}, http_client=http())
        self.http = httpx.Client(
            base_url=url,
            trust_env=False,
            verify=False,  # plain http: there are no certificates to look at
            headers={"Authorization": f"Bearer {key}"},
            timeout=PATIENCE_SECONDS,
        )

    def __enter__(self) -> "TestAccount":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    @property
    def v1(self) -> Any:
        """The SDK's services."""
        return self.stripe.v1

    def control(self, method: str, path: str, /, **members: Any) -> dict[str, Any]:
        """Call the control API; fails the test unless it answers 200."""
        answer = self.http.request(method, f"/_sandbox/control{path}", json=members)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def price(self, amount: int = 4900, currency: str = "usd", name: str = "10,000 MAU", **more: Any) -> Any:
        """A price of a new product."""
        product = check(self.v1.products.create({"name": name}))
        return check(
            self.v1.prices.create({"product": product.id, "unit_amount": amount, "currency": currency, **more})
        )

    def customer(self, **more: Any) -> Any:
        """A customer."""
        return check(self.v1.customers.create({"email": "ada@example.com", "name": "Ada", **more}))

    def session(self, *lines: tuple[Any, int], **more: Any) -> Any:
        """An open Checkout Session for prices and quantities, in payment mode unless told otherwise."""
        items = [{"price": price.id, "quantity": quantity} for price, quantity in lines]
        wanted = {
            "mode": "payment",
            "line_items": items,
            "success_url": "https://shop.example/done?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://shop.example/buy",
            **more,
        }
        return check(self.v1.checkout.sessions.create(wanted))

    def pay(self, session: Any, number: str = "4242424242424242", **more: Any) -> dict[str, Any]:
        """What the payer does on the hosted page; the control API's answer."""
        return self.control("POST", f"/checkout/{session.id}/pay", number=number, **more)

    def event_types(self) -> list[str]:
        """Types of all events so far, oldest first."""
        return [event.type for event in reversed(self.v1.events.list({"limit": 100}).data)]
