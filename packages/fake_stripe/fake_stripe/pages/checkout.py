"""Addresses of hosted checkout and 3-D Secure, and what their forms do."""

from pathlib import Path
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from fake_stripe.account import Account
from fake_stripe.errors import StripeError
from fake_stripe.pages import checkout_view
from fake_stripe.pages.base import SEE_OTHER, Pages
from fake_stripe.pages.entries import payer_of, quantities_of
from fake_stripe.pages.forms import own_form
from fake_stripe.pages.layout import page
from fake_stripe.payments import authentication, checkout
from fake_stripe.storage.objects import Body

_STYLE = Path(__file__).with_name("style.css")
_ICON = Path(__file__).with_name("icon.svg")


class CheckoutPages(Pages):
    """Hosted checkout and 3-D Secure."""

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [
            Route("/style.css", self.style),
            Route("/icon.svg", self.icon),
            Route("/checkout/{session}", self.show),
            Route("/checkout/{session}/pay", self.pay, methods=["POST"]),
            Route("/checkout/{session}/update", self.update, methods=["POST"]),
            Route("/authenticate/{intent}", self.ask),
            Route("/authenticate/{intent}", self.answer, methods=["POST"]),
        ]

    async def style(self, _: Request) -> Response:
        """The one stylesheet."""
        return FileResponse(_STYLE, media_type="text/css", headers={"Cache-Control": "max-age=60"})

    async def icon(self, _: Request) -> Response:
        """The sign in a browser's tab."""
        return FileResponse(_ICON, media_type="image/svg+xml", headers={"Cache-Control": "max-age=60"})

    async def show(self, http: Request) -> Response:
        """The page of a session."""
        try:
            account = self.account_of(http.path_params["session"], checkout.KIND)
            session = account.get(http.path_params["session"], checkout.KIND)
        except StripeError as error:
            return self.refusal(error)
        intent = authentication.find(account, checkout.intent_of(session)) or {}
        failure = (intent.get("last_payment_error") or intent.get("last_setup_error") or {}).get("message")
        return self.render(account, session, {}, failure if session["status"] == "open" else None)

    def render(
        self, account: Account, session: Body, entered: dict[str, str], problem: str | None, status: int = 200
    ) -> Response:
        """The open page, or what is to be said of a closed session."""
        if session["status"] != "open":
            closed = checkout_view.closed_page(session, checkout.success_address(session))
            return page(self.base, "Checkout", *closed)
        customer = account.find(session["customer"], "customer") or {}
        shown = {**session, "_email": customer.get("email")}
        return page(
            self.base, "Checkout", *checkout_view.checkout_page(self.base, shown, entered, problem), status=status
        )

    async def pay(self, http: Request) -> Response:
        """Take the payer's entries to the payment, and the payer to where they belong afterwards."""
        try:
            entered = await own_form(http, self.public_url)
            with self.database.transaction():
                account = self.account_of(http.path_params["session"], checkout.KIND)
                session = account.get(http.path_params["session"], checkout.KIND)
                if session["status"] != "open":
                    return self.render(account, session, {}, None)
                return self._paid(account, session, entered)
        except StripeError as error:
            return self.refusal(error)

    def _paid(self, account: Account, session: Body, entered: dict[str, str]) -> Response:
        account.connection.execute("SAVEPOINT attempt")
        try:
            decline = checkout.pay(account, session, payer_of(entered, session))
        except StripeError as error:
            # What was typed cannot be used; nothing of this attempt may remain.
            account.connection.execute("ROLLBACK TO attempt")
            unchanged = account.get(session["id"], checkout.KIND)
            return self.render(account, unchanged, entered, error.message, error.status)
        session = account.get(session["id"], checkout.KIND)
        if decline:
            return self.render(account, session, entered, decline.message, 402)
        if session["status"] == "complete":
            return RedirectResponse(checkout.success_address(session), SEE_OTHER)
        return RedirectResponse(f"{self.base}/authenticate/{checkout.intent_of(session)}", SEE_OTHER)

    async def update(self, http: Request) -> Response:
        """New quantities or a promotion code, before paying."""
        try:
            entered = await own_form(http, self.public_url)
            with self.database.transaction():
                account = self.account_of(http.path_params["session"], checkout.KIND)
                session = account.get(http.path_params["session"], checkout.KIND)
                if session["status"] != "open":
                    return self.render(account, session, {}, None)
                problem = self._update(account, session, entered)
                return self.render(account, session, entered, problem, 400 if problem else 200)
        except StripeError as error:
            return self.refusal(error)

    def _update(self, account: Account, session: Body, entered: dict[str, str]) -> str | None:
        try:
            if entered.get("promotion_code"):
                checkout.REDEEM[0](account, session, entered["promotion_code"])
            checkout.adjust(account, session, quantities_of(entered))
        except StripeError as error:
            return error.message
        checkout.total(account, session)
        account.save(session)
        return None

    async def ask(self, http: Request) -> Response:
        """The bank's question."""
        try:
            account, intent = self._intent(http)
        except StripeError as error:
            return self.refusal(error)
        if intent["status"] != "requires_action":
            return RedirectResponse(self._after(account, intent), SEE_OTHER)
        return page(self.base, "3-D Secure", *checkout_view.authentication_page(self.base, intent))

    async def answer(self, http: Request) -> Response:
        """The payer's answer."""
        try:
            form = await own_form(http, self.public_url)
            with self.database.transaction():
                account, intent = self._intent(http)
                if intent["status"] == "requires_action":
                    authentication.answer(account, intent, form.get("answer") == "complete")
                account, intent = self._intent(http)
                return RedirectResponse(self._after(account, intent), SEE_OTHER)
        except StripeError as error:
            return self.refusal(error)

    def _intent(self, http: Request) -> tuple[Account, Body]:
        identifier = http.path_params["intent"]
        kind = authentication.kind_of(identifier)
        account = self.account_of(identifier, kind)
        return account, account.get(identifier, kind)

    def _after(self, account: Account, intent: Body) -> str:
        """Where the payer goes from 3-D Secure: on, or back to try again."""
        session = self._session_of(account, intent)
        if session is not None:
            done = session["status"] == "complete"
            return checkout.success_address(session) if done else f"{self.base}/checkout/{session['id']}"
        target = intent.get("_return_url")
        if not target:
            return f"{self.base}/"
        outcome = "succeeded" if intent["status"] == "succeeded" else "failed"
        query = urlencode({"payment_intent": intent["id"], "redirect_status": outcome})
        return f"{target}{'&' if '?' in target else '?'}{query}"

    def _session_of(self, account: Account, intent: Body) -> Body | None:
        """The session that an intent belongs to, directly or through a subscription's first invoice."""
        owner = account.find(intent.get("_session") or intent.get("_owner")) or {}
        if owner.get("object") == "invoice":
            subscription = account.find(owner.get("_subscription"), "subscription") or {}
            return account.find(subscription.get("_session"), checkout.KIND)
        return owner if owner.get("object") == checkout.KIND else None
