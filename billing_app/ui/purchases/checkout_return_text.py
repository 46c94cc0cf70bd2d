"""The page to which the payment page sends back: what became of the payment."""

from __future__ import annotations

from dataclasses import dataclass, field

from billing_app.services.purchases.views_buying import CheckoutView, ReceivedGrant
from billing_app.ui import routes
from billing_app.ui.kit.formats import Formats, long_day
from billing_app.ui.kit.records import MetricLabel, metric_label


@dataclass(frozen=True)
class ReceivedRow:
    """Credits that came."""

    metric: MetricLabel = field(default_factory=MetricLabel)
    name: str = ""
    note: str = ""
    balance: str = ""


@dataclass(frozen=True)
class CheckoutReturnScreen:
    """Where the payment stands: "waiting", "paid", "failed" or "expired"."""

    status: str = "waiting"
    title: str = ""
    text: str = ""
    rows: list[ReceivedRow] = field(default_factory=list)
    credits_href: str = ""
    buy_href: str = ""


def checkout_return_screen(
    view: CheckoutView, address: str, formats: Formats, *, patient: bool
) -> CheckoutReturnScreen:
    """The screen. `patient`: we have waited long, and the payment is still open."""
    credits_href, buy_href = routes.credits(address), routes.buy(address)
    money = formats.money(view.total_cents, view.currency) if view.currency else ""
    if view.status == "paid":
        rows = [_row(one, formats) for one in view.grants]
        href = routes.credits(address, metric=view.grants[0].metric.id) if view.grants else credits_href
        return CheckoutReturnScreen(
            "paid", "Paid, and added to your credits", f"{money} were paid.", rows, href, buy_href
        )
    if view.status == "failed":
        text = view.failure or "The payment was declined."
        return CheckoutReturnScreen(
            "failed", "The payment did not go through", f"{text} Nothing was charged.", [], credits_href, buy_href
        )
    if view.status == "expired":
        return CheckoutReturnScreen(
            "expired", "This payment page has ended", "Nothing was charged.", [], credits_href, buy_href
        )
    text = (
        "The payment is still on its way. You can close this page: your credits change by themselves when it lands."
        if patient
        else "Your credits change by themselves when it lands, usually within seconds."
    )
    return CheckoutReturnScreen("waiting", "Waiting for the payment", text, [], credits_href, buy_href)


def _row(one: ReceivedGrant, formats: Formats) -> ReceivedRow:
    ends = f"valid until {long_day(one.expires_at)}" if one.expires_at else "without an end"
    lasts = f", at this pace until {long_day(one.lasts_until)}" if one.lasts_until else ""
    return ReceivedRow(
        metric_label(one.metric),
        formats.named(one.metric, one.quantity),
        f"{ends}{lasts}",
        f"{formats.quantity(one.metric, one.left_now)} left now",
    )
