"""The customer portal: subscriptions, cards, invoices."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from fake_stripe.account import Account
from fake_stripe.billing import changes as billing_changes
from fake_stripe.billing import renewals, subscriptions
from fake_stripe.billing.changes import Change
from fake_stripe.errors import StripeError, missing
from fake_stripe.pages import portal_view
from fake_stripe.pages.base import SEE_OTHER, Pages
from fake_stripe.pages.entries import expiry_of
from fake_stripe.pages.forms import own_form
from fake_stripe.pages.layout import page
from fake_stripe.payments import setups
from fake_stripe.resources import payment_methods
from fake_stripe.storage.objects import Body

Action = Callable[[Account, Body, dict[str, str]], None]


class PortalPages(Pages):
    """The pages that a portal session's address opens."""

    def routes(self) -> list[Route]:
        """One page, and one address for each thing that can be done on it."""
        actions: dict[str, Action] = {
            "cancel": self._cancel,
            "keep": self._keep,
            "switch": self._switch,
            "card": self._card,
            "default": self._default,
            "details": self._details,
        }
        posts = [
            Route(f"/portal/{{ticket}}/{name}", self._post(done), methods=["POST"]) for name, done in actions.items()
        ]
        return [Route("/portal/{ticket}", self.show), *posts]

    def _enter(self, http: Request) -> tuple[Account, Body]:
        """The account and session of a ticket. Raises StripeError (404)."""
        ticket = http.path_params["ticket"]
        row = self.database.connection.execute(
            "SELECT account, id FROM objects WHERE kind = 'billing_portal.session'"
            " AND json_extract(body, '$._ticket') = ?",
            (ticket,),
        ).fetchone()
        if row is None:
            raise missing("portal session", ticket)
        account = Account(self.database.connection, row["account"], self.public_url)
        return account, account.get(row["id"], "billing_portal.session")

    async def show(self, http: Request) -> Response:
        """The portal."""
        try:
            account, session = self._enter(http)
        except StripeError as error:
            return self.refusal(error)
        return self._render(account, session, None)

    def _render(self, account: Account, session: Body, problem: str | None) -> Response:
        address = f"{self.base}/portal/{session['_ticket']}"
        body = portal_view.portal(account, session, address, problem)
        return page(self.base, "Billing", body, status=402 if problem else 200, wide=True)

    def _post(self, action: Action) -> Callable[[Request], object]:
        async def endpoint(http: Request) -> Response:
            try:
                form = await own_form(http, self.public_url)
                with self.database.transaction():
                    account, session = self._enter(http)
                    action(account, session, form)
            except StripeError as error:
                if error.status == 402:
                    return self._render(account, session, error.message)
                return self.refusal(error)
            return RedirectResponse(f"{self.base}/portal/{session['_ticket']}", SEE_OTHER)

        return endpoint

    def _subscription(self, account: Account, session: Body, form: dict[str, str]) -> Body:
        found = account.get(form.get("subscription", ""), "subscription")
        if found["customer"] != session["customer"]:
            raise missing("subscription", found["id"])
        return found

    def _features(self, account: Account, session: Body, name: str) -> Body:
        feature = account.get(session["configuration"], "billing_portal.configuration")["features"][name]
        if not feature["enabled"]:
            raise StripeError("The portal does not offer this.", status=403)
        return feature

    def _cancel(self, account: Account, session: Body, form: dict[str, str]) -> None:
        feature = self._features(account, session, "subscription_cancel")
        subscription = self._subscription(account, session, form)
        if feature["mode"] == "immediately":
            subscriptions.end(account, subscription, "cancellation_requested")
            return
        _, end = subscriptions.period_of(subscription)
        self._end_at(account, subscription, end)

    def _keep(self, account: Account, session: Body, form: dict[str, str]) -> None:
        self._features(account, session, "subscription_cancel")
        self._end_at(account, self._subscription(account, session, form), None)

    def _end_at(self, account: Account, subscription: Body, end: int | None) -> None:
        now = account.now(subscription["test_clock"])
        reason = "cancellation_requested" if end else None
        account.change(
            subscription,
            "customer.subscription.updated",
            cancel_at_period_end=end is not None,
            cancel_at=end,
            canceled_at=now if end else None,
            cancellation_details={**subscription["cancellation_details"], "reason": reason},
        )
        subscriptions.plan_ahead(account, subscription)

    def _switch(self, account: Account, session: Body, form: dict[str, str]) -> None:
        feature = self._features(account, session, "subscription_update")
        subscription = self._subscription(account, session, form)
        offered = {price for product in feature["products"] or [] for price in product["prices"]}
        if form.get("price") not in offered:
            raise StripeError("This plan is not on offer.")
        price = account.get(form["price"], "price")
        item = subscription["items"]["data"][0]
        now = account.now(subscription["test_clock"])
        made = subscriptions.new_item(account, subscription["id"], price, item["quantity"], item["metadata"], now)
        kept = {name: item[name] for name in ("id", "created", "current_period_start", "current_period_end")}
        previous = {"items": subscription["items"]}
        items = [{**made, **kept}, *subscription["items"]["data"][1:]]
        invoice = billing_changes.carry_out(account, subscription, Change(items, feature["proration_behavior"], now))
        account.emit("customer.subscription.updated", subscription, previous)
        if invoice:
            renewals.collect(account, invoice["id"])

    def _card(self, account: Account, session: Body, form: dict[str, str]) -> None:
        self._features(account, session, "payment_method_update")
        number = "".join(form.get("number", "").split())
        method = payment_methods.make(account, number, expiry_of(form.get("expiry", "")), name=form.get("name"))
        intent = setups.make(account, session["customer"])
        decline = setups.confirm(account, intent, method)
        if decline:
            raise StripeError(decline.message, code=decline.code, kind="card_error", status=402)
        if intent["status"] == "requires_action":
            # The portal has no page of its own for the bank's question: the fake Stripe answers yes.
            setups.authenticate(account, intent, passed=True)
        self._make_default(account, session, method["id"])

    def _default(self, account: Account, session: Body, form: dict[str, str]) -> None:
        self._features(account, session, "payment_method_update")
        method = account.get(form.get("method", ""), "payment_method")
        if method["customer"] != session["customer"]:
            raise missing("payment method", method["id"])
        self._make_default(account, session, method["id"])

    def _make_default(self, account: Account, session: Body, method: str) -> None:
        customer = account.get(session["customer"], "customer")
        settings = {**customer["invoice_settings"], "default_payment_method": method}
        account.change(customer, "customer.updated", invoice_settings=settings)
        for subscription in account.all("subscription", customer=customer["id"]):
            if subscription["status"] not in subscriptions.ENDED and subscription["default_payment_method"]:
                account.change(subscription, "customer.subscription.updated", default_payment_method=method)

    def _details(self, account: Account, session: Body, form: dict[str, str]) -> None:
        feature = self._features(account, session, "customer_update")
        customer = account.get(session["customer"], "customer")
        allowed = {
            name: form[name] for name in ("email", "name") if name in form and name in feature["allowed_updates"]
        }
        account.change(customer, "customer.updated", **allowed)
