"""Cancelling, pausing and resuming subscriptions over the API."""

from fake_stripe import errors
from fake_stripe.account import Account
from fake_stripe.billing import prorations, renewals, subscriptions
from fake_stripe.billing.subscriptions import SUBSCRIPTION
from fake_stripe.resource import Request, operation
from fake_stripe.storage.objects import Body


@operation("subscriptions.cancel")
def cancel(account: Account, request: Request) -> Body:
    """At once; unused time is credited with `prorate`, and invoiced with `invoice_now`."""
    parameters = request.parameters
    subscription = account.get(request.ids[0], SUBSCRIPTION.kind)
    if subscription["status"] in subscriptions.ENDED:
        raise errors.missing("subscription", subscription["id"])
    sent = parameters.group("cancellation_details").plain()
    subscription["cancellation_details"] = {**subscription["cancellation_details"], **sent}
    prorate, invoice_now = parameters.get("prorate", False), parameters.get("invoice_now", False)
    if prorate and subscription["status"] in ("active", "past_due"):
        now = account.now(subscription["test_clock"])
        items = subscription["items"]["data"]
        prorations.keep_pending(account, subscription, prorations.unused(account, subscription, items, now))
    waiting = prorations.pending(account, subscription)
    if invoice_now and waiting:
        prorations.take(account, waiting, subscriptions.issue(account, subscription, waiting, "subscription_update"))
    return subscriptions.end(account, subscription, "cancellation_requested")


@operation("subscriptions.pause")
def pause(account: Account, request: Request) -> Body:
    """No more periods or invoices; unused time is credited unless `bill_for` says none."""
    parameters = request.parameters
    subscription = account.get(request.ids[0], SUBSCRIPTION.kind)
    parameters.get("type")
    if parameters.get("invoicing_behavior", "pending_invoice_item") != "pending_invoice_item":
        raise errors.unsupported("invoicing_behavior")
    sent = parameters.group("bill_for")
    sent.group("outstanding_usage_through").get("type")
    credited = sent.group("unused_time_from").get("type", "now")
    if subscription["status"] not in ("active", "trialing"):
        raise errors.StripeError(f"A subscription that is {subscription['status']} cannot be paused.")
    if credited != "none" and subscription["status"] == "active":
        start, _ = subscriptions.period_of(subscription)
        at = start if credited == "item_current_period_start" else account.now(subscription["test_clock"])
        items = subscription["items"]["data"]
        prorations.keep_pending(account, subscription, prorations.unused(account, subscription, items, at))
    return renewals.pause(account, subscription, "pause_requested")


@operation("subscriptions.resume")
def resume(account: Account, request: Request) -> Body:
    """A paused subscription begins a new period now, with an invoice that is collected at once."""
    parameters = request.parameters
    subscription = account.get(request.ids[0], SUBSCRIPTION.kind)
    if subscription["status"] != "paused":
        raise errors.StripeError("Only paused subscriptions can be resumed.")
    unchanged = parameters.group("billing_cycle_anchor").get("type", "now") == "unchanged"
    if parameters.get("payment_behavior", "resume_on_payment_attempt") != "resume_on_payment_attempt":
        raise errors.unsupported("payment_behavior")
    parameters.get("proration_behavior")
    now = account.now(subscription["test_clock"])
    if unchanged:
        return _go_on_trying(account, subscription, now)
    subscription.update(status="active", status_details=None, billing_cycle_anchor=now)
    account.save(subscription)
    account.emit("customer.subscription.resumed", subscription)
    renewals.start_period(account, subscription, now, open_now=True)
    return account.get(subscription["id"], SUBSCRIPTION.kind)


def _go_on_trying(account: Account, subscription: Body, now: int) -> Body:
    """In the period that surrounds now; of that only a trial is known here, which costs nothing."""
    if not subscription["trial_end"] or subscription["trial_end"] <= now:
        raise errors.unsupported("billing_cycle_anchor")
    subscription.update(status="trialing", status_details=None)
    account.save(subscription)
    account.emit("customer.subscription.resumed", subscription)
    subscriptions.plan_ahead(account, subscription)
    return subscription
