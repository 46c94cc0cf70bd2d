"""`create_preview`: the next invoice of a subscription, with or without a change, or the first of a new one."""

from fake_stripe import errors, ids
from fake_stripe.account import Account
from fake_stripe.billing import changes as billing_changes
from fake_stripe.billing import discounts, invoices, lines, periods, prorations, schedules, subscriptions
from fake_stripe.billing.lines import Draft
from fake_stripe.contract.parameters import Parameters
from fake_stripe.resource import Request, operation
from fake_stripe.resources.subscriptions import change_of, trial_end
from fake_stripe.storage.objects import Body


@operation("invoices.create_preview")
def preview(account: Account, request: Request) -> Body:
    """Nothing is kept; the amounts are those that the same request would charge at the same `proration_date`."""
    account.connection.execute("SAVEPOINT preview")
    try:
        return _preview(account, request.parameters)
    finally:
        account.connection.execute("ROLLBACK TO preview")


def _preview(account: Account, parameters: Parameters) -> Body:
    if parameters.get("preview_mode", "next") != "next":
        raise errors.unsupported("preview_mode")
    details = parameters.group("subscription_details")
    if "subscription" in parameters:
        subscription = account.get(parameters["subscription"], "subscription", "subscription")
        if subscription["status"] in subscriptions.ENDED:
            raise errors.StripeError("No upcoming invoices: the subscription has ended.", code="invoice_upcoming_none")
        _same_customer(parameters, subscription)
        drafts = _of_change(account, subscription, details)
    else:
        subscription, drafts = _of_new(account, parameters, details)
    customer = account.get(subscription["customer"], "customer")
    coupon, discount = _coupon(account, parameters, subscription)
    return invoices.make(
        account,
        customer,
        drafts,
        "upcoming" if "subscription" in parameters else "subscription_create",
        currency=subscription["currency"],
        subscription=subscription if "subscription" in parameters else None,
        coupon=coupon,
        discount=discount,
        kept=False,
        id=ids.make("upcoming_in"),
    )


def _same_customer(parameters: Parameters, subscription: Body) -> None:
    if parameters.get("customer", subscription["customer"]) != subscription["customer"]:
        raise errors.invalid("customer", "The subscription belongs to another customer.")


def _of_change(account: Account, subscription: Body, details: Parameters) -> list[Draft]:
    if details.get("cancel_now"):
        now = account.now(subscription["test_clock"])
        items = subscription["items"]["data"]
        at = details.get("proration_date", now)
        unused = prorations.unused(account, subscription, items, at) if details.get("proration_behavior") else []
        return [*prorations.pending(account, subscription), *unused]
    changed = {"items", "trial_end", "billing_cycle_anchor"} & set(details.names())
    if not changed:
        _refuse_ending(subscription)
        schedules.at_boundary(account, subscription, subscriptions.period_of(subscription)[1])
        return [*prorations.pending(account, subscription), *_next_period(account, subscription, None)]
    planned = billing_changes.plan(account, subscription, change_of(account, subscription, details))
    if planned.now is not None:
        return planned.now
    waiting = prorations.pending(account, subscription)
    return [*waiting, *planned.later, *_next_period(account, subscription, planned.items)]


def _refuse_ending(subscription: Body) -> None:
    if subscription["cancel_at_period_end"]:
        raise errors.StripeError("No upcoming invoices: the subscription ends.", code="invoice_upcoming_none")


def _next_period(account: Account, subscription: Body, items: list[Body] | None) -> list[Draft]:
    items = items or subscription["items"]["data"]
    _, boundary = subscriptions.period_of(subscription)
    interval, count = subscriptions.interval_of(items)
    end = periods.next_boundary(subscription["billing_cycle_anchor"], boundary, interval, count)
    return [lines.whole(account, item, boundary, end) for item in items]


def _of_new(account: Account, parameters: Parameters, details: Parameters) -> tuple[Body, list[Draft]]:
    """The first invoice of a subscription that does not exist."""
    if "customer" not in parameters:
        raise errors.missing_parameter("customer")
    customer = account.get(parameters["customer"], "customer", "customer")
    now = account.now(customer["test_clock"])
    sent = details.get("items") or []
    if not sent:
        raise errors.missing_parameter("subscription_details[items]")
    entries = [(billing_changes.price_of(account, entry), entry.get("quantity", 1)) for entry in sent]
    items = [subscriptions.new_item(account, "", price, quantity, {}, now) for price, quantity in entries]
    interval, count = subscriptions.interval_of(items)
    trial = trial_end(details, now)
    anchor = details.group("billing_cycle_anchor").get("timestamp") or trial or now
    end = trial or periods.next_boundary(anchor, now, interval, count)
    subscription: Body = {
        "id": "",
        "billing_cycle_anchor": anchor,
        "currency": items[0]["price"]["currency"],
        "customer": customer["id"],
        "discounts": [],
        "items": {"data": items},
        "metadata": {},
        "status": "trialing" if trial else "incomplete",
        "test_clock": customer["test_clock"],
        "_prorate_start": details.get("proration_behavior") != "none",
    }
    subscriptions.set_period(subscription, now, end)
    return subscription, subscriptions.first_drafts(account, subscription, [])


def _coupon(account: Account, parameters: Parameters, subscription: Body) -> tuple[Body | None, str | None]:
    found = discounts.from_parameters(account, parameters, subscription["currency"])
    if found:
        return found[0], ids.make("di")
    return discounts.coupon_of(account, subscription, account.now(subscription["test_clock"]))
