"""The dashboard: what happened, what was delivered, and buttons for what banks and time do."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from fake_stripe import deliveries, events, faults
from fake_stripe.account import Account
from fake_stripe.errors import StripeError, missing
from fake_stripe.pages import dashboard_view
from fake_stripe.pages.base import SEE_OTHER, Pages
from fake_stripe.pages.forms import own_form
from fake_stripe.pages.layout import page
from fake_stripe.payments import intents
from fake_stripe.resources import disputes, refunds, test_clocks
from fake_stripe.storage import accounts
from fake_stripe.storage.objects import Body

MAX_ACCOUNTS = 50
_DAY = 24 * 3600
MAX_DAYS = 400
Action = Callable[[Account, dict[str, str]], None]


class DashboardPages(Pages):
    """One page per account, and the list of accounts if there are several."""

    def routes(self) -> list[Route]:
        """The page and one address for each button."""
        actions: dict[str, Action] = {
            "resend": _resend,
            "refund": _refund,
            "dispute": _dispute,
            "decide": _decide,
            "settle": _settle,
            "advance": _advance,
            "fail-renewal": _fail_renewal,
            "fail-refund": _fail_refund,
            "retry": _retry,
            "calm": _calm,
        }
        posts = [
            Route(f"/accounts/{{account}}/{name}", self._post(action), methods=["POST"])
            for name, action in actions.items()
        ]
        return [Route("/", self.home), Route("/accounts/{account}", self.show), *posts]

    async def home(self, _: Request) -> Response:
        """The only account, or a choice."""
        found = accounts.latest(self.database.connection, MAX_ACCOUNTS)
        if len(found) == 1:
            return self._render(found[0]["id"])
        return page(self.base, "Dashboard", dashboard_view.choice(self.base, found), wide=True)

    async def show(self, http: Request) -> Response:
        """One account."""
        return self._render(http.path_params["account"])

    def _render(self, identifier: str) -> Response:
        try:
            account = self._account(identifier)
        except StripeError as error:
            return self.refusal(error)
        return page(self.base, "Dashboard", dashboard_view.board(account, self.base), wide=True)

    def _account(self, identifier: str) -> Account:
        known = self.database.connection.execute("SELECT 1 FROM accounts WHERE id = ?", (identifier,)).fetchone()
        if not known:
            raise missing("account", identifier)
        return Account(self.database.connection, identifier, self.public_url)

    def _post(self, action: Action) -> Callable[[Request], object]:
        async def endpoint(http: Request) -> Response:
            try:
                form = await own_form(http, self.public_url)
                with self.database.transaction():
                    account = self._account(http.path_params["account"])
                    action(account, form)
            except StripeError as error:
                return self.refusal(error)
            return RedirectResponse(f"{self.base}/accounts/{account.id}", SEE_OTHER)

        return endpoint


def _resend(account: Account, form: dict[str, str]) -> None:
    event = account.get(form.get("event", ""), "event")
    for endpoint in account.all("webhook_endpoint", status="enabled"):
        events.queue(account, event, endpoint["id"], faulty=False)


def _charge(account: Account, form: dict[str, str]) -> Body:
    return account.get(form.get("charge", ""), "charge")


def _refund(account: Account, form: dict[str, str]) -> None:
    charge = _charge(account, form)
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left <= 0:
        raise StripeError("Nothing is left to refund.")
    refunds.make(account, charge, left, "requested_by_customer", {})


def _dispute(account: Account, form: dict[str, str]) -> None:
    disputes.open_dispute(account, _charge(account, form))


def _decide(account: Account, form: dict[str, str]) -> None:
    disputes.close(account, account.get(form.get("dispute", ""), "dispute"), form.get("outcome") == "won")


def _settle(account: Account, form: dict[str, str]) -> None:
    intents.settle(account, form.get("intent", ""))


def _advance(account: Account, form: dict[str, str]) -> None:
    days = form.get("days", "")
    if not days.isdigit() or not 1 <= int(days) <= MAX_DAYS:
        raise StripeError(f"Days must be from 1 to {MAX_DAYS}.")
    clock = account.get(form.get("clock", ""), "test_helpers.test_clock")
    test_clocks.begin(account, clock, account.now(clock["id"]) + int(days) * _DAY)


def _fail_renewal(account: Account, form: dict[str, str]) -> None:
    subscription = account.get(form.get("subscription", ""), "subscription")
    faults.add(account.connection, account.id, "fail_renewal", 1, {"subscription": subscription["id"]})


def _fail_refund(account: Account, form: dict[str, str]) -> None:
    refunds.fail(account, account.get(form.get("refund", ""), "refund"))


def _retry(account: Account, form: dict[str, str]) -> None:
    deliveries.make_now(account.connection, account.id, form.get("delivery", ""))


def _calm(account: Account, _: dict[str, str]) -> None:
    faults.clear(account.connection, account.id)
