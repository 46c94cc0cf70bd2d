"""What time does to subscriptions: trials end, periods renew, payments are tried again, patience runs out."""

from fake_stripe import faults, settings
from fake_stripe.account import Account
from fake_stripe.billing import invoices, lines, periods, prorations, schedules, subscriptions
from fake_stripe.billing.subscriptions import SUBSCRIPTION
from fake_stripe.resources import payment_methods
from fake_stripe.storage.objects import Body
from fake_stripe.timers import action

DAY = 24 * 3600
# Days from one failed attempt to the next; after the last one the account's setting decides.
RETRY_DAYS = (3, 5, 7)
# The card that a renewal is tried with when a test asked for it to fail.
FAILING_NUMBER = "4000000000000341"


@action("tell_trial_will_end")
def tell_trial_will_end(account: Account, identifier: str) -> None:
    """Three days before, or at once for a shorter trial."""
    subscription = account.find(identifier, SUBSCRIPTION.kind)
    if subscription and subscription["status"] == "trialing":
        account.change(subscription, None, _trial_notice=True)
        account.emit("customer.subscription.trial_will_end", subscription)


@action("cancel_subscription")
def cancel_at(account: Account, identifier: str) -> None:
    """The end that was asked for earlier."""
    subscription = account.find(identifier, SUBSCRIPTION.kind)
    if subscription and subscription["status"] not in subscriptions.ENDED:
        subscriptions.end(account, subscription, "cancellation_requested")


@action("expire_incomplete")
def expire_incomplete(account: Account, identifier: str) -> None:
    """Nobody made the first payment good: the subscription never was."""
    subscription = account.find(identifier, SUBSCRIPTION.kind)
    if subscription is None or subscription["status"] != "incomplete":
        return
    invoice = account.find(subscription["latest_invoice"], "invoice")
    if invoice and invoice["status"] == "open":
        invoices.void(account, invoice)
    subscriptions.end(account, subscription, "payment_failed", "incomplete_expired")


@action("resume_collection")
def resume_collection(account: Account, identifier: str) -> None:
    """A pause of collection that had an end."""
    subscription = account.find(identifier, SUBSCRIPTION.kind)
    if subscription and subscription["pause_collection"]:
        account.change(subscription, "customer.subscription.updated", pause_collection=None)


@action("renew_subscription")
def renew(account: Account, identifier: str) -> None:
    """The period is over: end, pause after a trial without a card, or begin the next."""
    subscription = account.find(identifier, SUBSCRIPTION.kind)
    if subscription is None or subscription["status"] in (*subscriptions.ENDED, "paused", "incomplete"):
        return
    _, boundary = subscriptions.period_of(subscription)
    if subscription["cancel_at_period_end"]:
        subscriptions.end(account, subscription, "cancellation_requested")
        return
    if subscription["status"] == "trialing" and trial_ends_without_method(account, subscription):
        return
    schedules.at_boundary(account, subscription, boundary)
    if subscription["status"] not in subscriptions.ENDED:
        start_period(account, subscription, boundary)


def trial_ends_without_method(account: Account, subscription: Body) -> bool:
    """What the trial settings say about a missing card; whether that was the end of it."""
    behaviour = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if subscriptions.method_of(account, subscription) or behaviour == "create_invoice":
        return False
    if behaviour == "cancel":
        subscriptions.end(account, subscription, "payment_failed")
    else:
        pause(account, subscription, "trial_end_without_payment_method")
    return True


def pause(account: Account, subscription: Body, why: str) -> Body:
    """Status `paused`: no periods and no invoices until it is resumed."""
    now = account.now(subscription["test_clock"])
    paused = {"subscription": {"type": why}, "transitioned_at": now, "type": "subscription"}
    previous = {"status": subscription["status"]}
    subscription.update(status="paused", status_details={"paused": paused})
    account.save(subscription)
    account.emit("customer.subscription.updated", subscription, previous)
    account.emit("customer.subscription.paused", subscription)
    subscriptions.plan_ahead(account, subscription)
    return subscription


def start_period(account: Account, subscription: Body, start: int, open_now: bool = False) -> Body:
    """Begin a period at `start` and make its invoice, which stays a draft for an hour unless told otherwise."""
    items = subscription["items"]["data"]
    interval, count = subscriptions.interval_of(items)
    end = periods.next_boundary(subscription["billing_cycle_anchor"], start, interval, count)
    previous = {"items": subscription["items"], "status": subscription["status"]}
    subscription["items"] = subscriptions.item_list(subscription["id"], [dict(item) for item in items])
    subscriptions.set_period(subscription, start, end)
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    account.save(subscription)
    waiting = prorations.pending(account, subscription)
    drafts = [*waiting, *(lines.whole(account, item, start, end) for item in subscription["items"]["data"])]
    finalizes_at = account.now(subscription["test_clock"]) + invoices.DRAFT_SECONDS
    invoice = subscriptions.issue(
        account,
        subscription,
        drafts,
        "subscription_cycle" if not open_now else "subscription_update",
        open_now=False,
        automatically_finalizes_at=None if open_now else finalizes_at,
    )
    prorations.take(account, waiting, invoice)
    account.emit("customer.subscription.updated", subscription, previous)
    subscriptions.plan_ahead(account, subscription)
    if open_now:
        open_and_collect(account, invoice["id"])
    else:
        account.schedule(finalizes_at, "finalize_invoice", invoice, subscription["test_clock"])
    return invoice


@action("finalize_invoice")
def open_and_collect(account: Account, identifier: str) -> None:
    """The draft's hour is over: open it and try to collect."""
    invoice = account.find(identifier, "invoice")
    if invoice is None or invoice["status"] != "draft" or not invoice["auto_advance"]:
        return
    subscription = account.find(invoice["_subscription"], SUBSCRIPTION.kind)
    collection = (subscription or {}).get("pause_collection")
    if collection and collection["behavior"] == "keep_as_draft":
        account.change(invoice, "invoice.updated", auto_advance=False, automatically_finalizes_at=None)
        return
    invoices.finalize(account, invoice)
    invoice = account.get(identifier, "invoice")
    if collection and invoice["status"] == "open":
        give_up = invoices.void if collection["behavior"] == "void" else invoices.mark_uncollectible
        give_up(account, invoice)
        return
    if subscription and subscription["status"] == "unpaid":
        account.change(invoice, "invoice.updated", auto_advance=False)
        return
    if invoice["status"] == "open":
        collect(account, invoice["id"])


@action("collect_invoice")
def collect(account: Account, identifier: str) -> None:
    """Try to collect an open invoice with the subscription's method."""
    invoice = account.find(identifier, "invoice")
    if invoice is None or invoice["status"] != "open":
        return
    subscription = account.get(invoice["_subscription"], SUBSCRIPTION.kind)
    method = subscriptions.method_of(account, subscription)
    if faults.take_renewal(account.connection, account.id, subscription["id"]):
        method = payment_methods.make(account, FAILING_NUMBER)
    if method is None:
        account.change(invoice, None, attempted=True, attempt_count=invoice["attempt_count"] + 1)
        _failed(account, invoice)
        account.emit("invoice.payment_failed", invoice)
        return
    invoices.pay(account, invoice, method)


def _failed(account: Account, invoice: Body) -> None:
    """An attempt failed: past due, and another try some days later, or the end."""
    subscription = account.find(invoice["_subscription"], SUBSCRIPTION.kind)
    if subscription is None or invoice["billing_reason"] == "subscription_create":
        return
    attempts = invoice["attempt_count"]
    if attempts > len(RETRY_DAYS):
        account.change(invoice, None, next_payment_attempt=None)
        _give_up(account, subscription)
        return
    due = account.now(subscription["test_clock"]) + RETRY_DAYS[attempts - 1] * DAY
    account.change(invoice, None, next_payment_attempt=due)
    account.schedule(due, "collect_invoice", invoice, subscription["test_clock"])
    if subscription["status"] == "active":
        account.change(subscription, "customer.subscription.updated", status="past_due")


def _give_up(account: Account, subscription: Body) -> None:
    """After the last attempt: cancel, mark unpaid, or leave past due, as the account is set."""
    final = settings.read(account)["after_final_failure"]
    if final == "cancel":
        subscriptions.end(account, subscription, "payment_failed")
    elif final == "unpaid":
        account.change(subscription, "customer.subscription.updated", status="unpaid")


def _paid(account: Account, invoice: Body) -> None:
    """A paid invoice brings its subscription back, if it was the latest that was owed."""
    subscription = account.find(invoice.get("_subscription"), SUBSCRIPTION.kind)
    if subscription is None or subscription["status"] in subscriptions.ENDED:
        return
    intent = account.find(invoice.get("_intent"), "payment_intent")
    # The method that paid first is the one that pays from then on.
    if intent and invoice["billing_reason"] == "subscription_create" and not subscription["default_payment_method"]:
        account.change(subscription, None, default_payment_method=intent["payment_method"])
    owed = account.all("invoice", _subscription=subscription["id"], status="open")
    if not owed:
        subscriptions.activate(account, subscription)


def _given_up(account: Account, invoice: Body) -> None:
    """A voided or uncollectible invoice is owed no more: was it the latest, its subscription is active again."""
    subscription = account.find(invoice.get("_subscription"), SUBSCRIPTION.kind)
    if subscription is None or subscription["status"] not in ("past_due", "unpaid"):
        return
    if subscription["latest_invoice"] == invoice["id"]:
        subscriptions.activate(account, subscription)


def _processing(account: Account, invoice: Body) -> None:
    """A debit under way counts as paid until the bank says otherwise."""
    subscription = account.find(invoice.get("_subscription"), SUBSCRIPTION.kind)
    if subscription is not None:
        subscriptions.activate(account, subscription)


invoices.ON_PAID.append(_paid)
invoices.ON_FAILED.append(_failed)
invoices.ON_PROCESSING.append(_processing)
invoices.ON_GIVEN_UP.append(_given_up)
