"""Checkout in subscription mode: the first invoice is what the payer pays."""

from fake_stripe.account import Account
from fake_stripe.billing import invoices, lines, periods, renewals, subscriptions
from fake_stripe.billing.subscriptions import SUBSCRIPTION, Order
from fake_stripe.payments import baskets, checkout, setups
from fake_stripe.payments.cards import Decline
from fake_stripe.payments.checkout import Payer
from fake_stripe.storage.objects import Body

DAY = 24 * 3600


def _trial_end(session: Body, now: int) -> int | None:
    data = session["_data"]
    return data.get("trial_end") or (now + data["trial_period_days"] * DAY if data.get("trial_period_days") else None)


def due_today(account: Account, session: Body) -> list[int]:
    """What each line costs on the first invoice."""
    now = account.now(session["_clock"])
    return [_due(session, line, now) for line in session["_lines"]]


def _due(session: Body, line: Body, now: int) -> int:
    full = baskets.amount_of(line["price"], line["quantity"])
    recurring, data = line["price"]["recurring"], session["_data"]
    if recurring is None:
        return full
    if _trial_end(session, now):
        return 0
    anchor = data.get("billing_cycle_anchor")
    if not anchor:
        return full
    if data.get("proration_behavior") == "none":
        return 0
    interval, count = recurring["interval"], recurring["interval_count"]
    end = periods.next_boundary(anchor, now, interval, count)
    start = periods.previous_boundary(anchor, end, interval, count)
    return lines.portion(full, end - now, end - start)


def _subscribe(account: Account, session: Body, payer: Payer) -> Decline | None:
    customer = checkout.customer_of(account, session, payer, needed=True)
    session["customer_details"] = checkout.details(account, session, payer)
    account.save(session)
    subscription = _subscription(account, session, str(customer))
    invoice = account.find(subscription["latest_invoice"], "invoice")
    if invoice is None or invoice["status"] == "paid":
        if session["payment_method_collection"] == "if_required" and not payer.number:
            _complete(account, session, subscription, "no_payment_required")
            return None
        method = checkout.method_of(account, session, payer)
        return setups.confirm_for(account, session, method, str(customer))
    method = checkout.method_of(account, session, payer)
    session["_intent"] = invoice["_intent"]
    account.save(session)
    return invoices.pay(account, invoice, method, payer_present=True)


def _subscription(account: Account, session: Body, customer: str) -> Body:
    """The subscription of an earlier attempt if it is still what is bought, else a new one."""
    earlier = account.find(session.get("_subscription"), SUBSCRIPTION.kind)
    chosen = [(line["price"]["id"], line["quantity"]) for line in session["_lines"]]
    if (
        earlier
        and earlier["status"] in ("incomplete", "trialing")
        and session.get("_chosen") == [list(c) for c in chosen]
    ):
        return earlier
    if earlier:
        renewals.expire_incomplete(account, earlier["id"])
    subscription = subscriptions.make(account, _order(account, session, customer))
    session.update(_subscription=subscription["id"], _chosen=chosen)
    account.save(session)
    account.change(subscription, None, _session=session["id"])
    once = [(line["price"], line["quantity"]) for line in session["_lines"] if not line["price"]["recurring"]]
    subscriptions.first_invoice(account, subscription, once)
    return account.get(subscription["id"], SUBSCRIPTION.kind)


def _order(account: Account, session: Body, customer: str) -> Order:
    data = session["_data"]
    coupon = None
    if session["_coupon"]:
        code = account.find(session.get("_promotion_code"), "promotion_code")
        coupon = (account.get(session["_coupon"]["id"], "coupon"), code)
    values = {"description": data.get("description")}
    if data.get("trial_settings"):
        end_behaviour = {"billing_cycle_anchor": None, **data["trial_settings"]["end_behavior"]}
        values["trial_settings"] = {"end_behavior": end_behaviour}
    return Order(
        customer=account.get(customer, "customer"),
        items=[
            (line["price"], line["quantity"], line["metadata"])
            for line in session["_lines"]
            if line["price"]["recurring"]
        ],
        metadata=data["metadata"],
        trial_end=_trial_end(session, account.now(session["_clock"])),
        anchor=data.get("billing_cycle_anchor"),
        prorate=data.get("proration_behavior") != "none",
        coupon=coupon,
        values=values,
    )


def _complete(account: Account, session: Body, subscription: Body, payment_status: str) -> None:
    session.update(
        subscription=subscription["id"], invoice=subscription["latest_invoice"], payment_status=payment_status
    )
    checkout.complete(account, session)


def _session_of(account: Account, invoice: Body) -> tuple[Body, Body] | None:
    """The session whose first invoice this is, with the subscription."""
    subscription = account.find(invoice.get("_subscription"), SUBSCRIPTION.kind)
    session = account.find((subscription or {}).get("_session"), checkout.KIND)
    if subscription is None or session is None or invoice["billing_reason"] != "subscription_create":
        return None
    return session, subscription


def _paid(account: Account, invoice: Body) -> None:
    found = _session_of(account, invoice)
    if found is None or not invoice["amount_paid"]:
        return
    session, subscription = found
    if session["status"] == "open":
        _complete(account, session, subscription, "paid")
    elif session["payment_status"] == "unpaid":
        account.change(session, None, payment_status="paid")
        account.emit("checkout.session.async_payment_succeeded", session)


def _failed(account: Account, invoice: Body) -> None:
    found = _session_of(account, invoice)
    if found and found[0]["status"] == "complete" and found[0]["payment_status"] == "unpaid":
        account.emit("checkout.session.async_payment_failed", found[0])


def _processing(account: Account, invoice: Body) -> None:
    found = _session_of(account, invoice)
    if found and found[0]["status"] == "open":
        _complete(account, *found, "unpaid")


def _set_up(account: Account, session: Body, method: Body) -> None:
    """A card was saved for a subscription that costs nothing today."""
    subscription = account.get(session["_subscription"], SUBSCRIPTION.kind)
    account.change(subscription, "customer.subscription.updated", default_payment_method=method["id"])
    _complete(account, session, subscription, "no_payment_required")


checkout.PAY["subscription"] = _subscribe
checkout.DUE["subscription"] = due_today
setups.ON_SET_UP["subscription"] = _set_up
invoices.ON_PAID.append(_paid)
invoices.ON_FAILED.append(_failed)
invoices.ON_PROCESSING.append(_processing)
