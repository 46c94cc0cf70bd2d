"""Subscriptions over the API: create, change, cancel, pause, resume."""

from typing import Any

from fake_stripe import changes, errors
from fake_stripe.account import Account
from fake_stripe.billing import changes as billing_changes
from fake_stripe.billing import discounts, invoices, renewals, schedules, subscriptions
from fake_stripe.billing.changes import Change
from fake_stripe.billing.subscriptions import SUBSCRIPTION, Order
from fake_stripe.contract.parameters import Parameters
from fake_stripe.payments import intents
from fake_stripe.resource import Listing, Request, listing, operation, retrieve
from fake_stripe.resources import customers, payment_methods, prices
from fake_stripe.storage.objects import Body

DAY = 24 * 3600
MAX_TRIAL_DAYS = 730


@operation("subscriptions.create")
def create(account: Account, request: Request) -> Body:
    """With its first invoice, which is paid at once with the method on file unless the behaviour says otherwise."""
    parameters = request.parameters
    customer = account.get(parameters.get("customer") or "", "customer", "customer")
    order = _order(account, parameters, customer)
    behaviour = parameters.get("payment_behavior", "allow_incomplete")
    if behaviour == "pending_if_incomplete":
        raise errors.unsupported("payment_behavior")
    parameters.get("off_session")
    subscription = subscriptions.make(account, order)
    _schedule_end(account, subscription, parameters)
    subscriptions.first_invoice(account, subscription, order.extra)
    _pay_first(account, account.get(subscription["id"], SUBSCRIPTION.kind), behaviour)
    return account.get(subscription["id"], SUBSCRIPTION.kind)


def _order(account: Account, parameters: Parameters, customer: Body) -> Order:
    sent = parameters.get("items") or []
    if not sent:
        raise errors.missing_parameter("items")
    items = [
        (billing_changes.price_of(account, entry), entry.get("quantity", 1), changes.metadata(entry)) for entry in sent
    ]
    currency = items[0][0]["currency"]
    if any(price["currency"] != currency for price, _, _ in items) or parameters.get("currency", currency) != currency:
        raise errors.invalid("items", "All prices of a subscription must have the same currency.")
    method = parameters.get("default_payment_method")
    if method:
        method = payment_methods.of_customer(account, method, customer["id"], "default_payment_method")["id"]
    return Order(
        customer=customer,
        items=items,
        metadata=changes.metadata(parameters),
        trial_end=trial_end(parameters, account.now(customer["test_clock"])),
        anchor=_anchor(parameters, account.now(customer["test_clock"])),
        prorate=parameters.get("proration_behavior") != "none",
        coupon=discounts.from_parameters(account, parameters, currency),
        method=method,
        extra=_extra(account, parameters),
        values=_values(parameters),
    )


def trial_end(parameters: Parameters, now: int) -> int | None:
    """When the trial ends (seconds since 1970), or None without one. Raises StripeError for a moment in the past."""
    days, end = parameters.get("trial_period_days"), parameters.get("trial_end")
    if days is not None and end is not None:
        raise errors.invalid("trial_end", "You may only specify one of trial_end and trial_period_days.")
    if days is not None and not 1 <= days <= MAX_TRIAL_DAYS:
        raise errors.invalid("trial_period_days", f"trial_period_days must be from 1 to {MAX_TRIAL_DAYS}.")
    if end == "now":
        return now
    if end is not None and end <= now:
        raise errors.invalid("trial_end", "trial_end must be in the future.")
    return now + days * DAY if days else end


def _anchor(parameters: Parameters, now: int) -> int | None:
    anchor = parameters.get("billing_cycle_anchor")
    if anchor is not None and anchor <= now:
        raise errors.invalid("billing_cycle_anchor", "billing_cycle_anchor must be in the future.")
    return anchor


def _extra(account: Account, parameters: Parameters) -> list[tuple[Body, int]]:
    return [
        (prices.sold(account, entry["price"], entry.path("price")), entry.get("quantity", 1))
        for entry in parameters.get("add_invoice_items", [])
    ]


def _values(parameters: Parameters) -> dict[str, Any]:
    """Members that are simply kept."""
    values = changes.given(parameters, ("description", "days_until_due"))
    if parameters.get("collection_method", "charge_automatically") != "charge_automatically":
        raise errors.unsupported("collection_method")
    if parameters.group("billing_mode").get("type", "flexible") != "flexible":
        raise errors.unsupported("billing_mode[type]")
    if parameters.get("trial_settings"):
        sent = parameters.group("trial_settings").plain()["end_behavior"]
        standard = {"billing_cycle_anchor": None, "missing_payment_method": "create_invoice"}
        values["trial_settings"] = {"end_behavior": {**standard, **sent}}
    # The first method that pays is always kept, which is what save_default_payment_method asks for.
    if "payment_settings" in parameters:
        parameters.group("payment_settings").get("save_default_payment_method")
    if parameters.group("automatic_tax").get("enabled"):
        values["automatic_tax"] = {
            "disabled_reason": None,
            "enabled": True,
            "liability": {"type": "self", "account": None},
        }
    return values


def _schedule_end(account: Account, subscription: Body, parameters: Parameters) -> None:
    """`cancel_at_period_end` and `cancel_at`, set or taken back."""
    if {"cancel_at_period_end", "cancel_at"} & set(parameters.names()):
        schedules.refuse_own_end(subscription)
    _, end = subscriptions.period_of(subscription)
    details = subscription["cancellation_details"]
    wanted: dict[str, Any] = {}
    if "cancel_at_period_end" in parameters:
        at_end = parameters["cancel_at_period_end"]
        wanted = {"cancel_at_period_end": at_end, "cancel_at": end if at_end else None}
    if "cancel_at" in parameters:
        moment = parameters["cancel_at"]
        if isinstance(moment, str) and moment not in ("", "min_period_end", "max_period_end"):
            raise errors.unsupported("cancel_at")
        wanted = {"cancel_at_period_end": False, "cancel_at": end if moment else None}
        wanted["cancel_at"] = moment if isinstance(moment, int) else wanted["cancel_at"]
    if not wanted:
        return
    ends = wanted["cancel_at"] is not None
    wanted["canceled_at"] = account.now(subscription["test_clock"]) if ends else None
    wanted["cancellation_details"] = {**details, "reason": "cancellation_requested" if ends else None}
    account.change(subscription, None, **wanted)
    subscriptions.plan_ahead(account, subscription)


def _pay_first(account: Account, subscription: Body, behaviour: str) -> None:
    invoice = account.find(subscription["latest_invoice"], "invoice")
    if invoice is None or invoice["status"] != "open" or behaviour == "default_incomplete":
        return
    method = subscriptions.method_of(account, subscription)
    if method is None:
        raise errors.StripeError(
            "This customer has no attached payment source or default payment method.", code="resource_missing"
        )
    decline = invoices.pay(account, invoice, method)
    intent = account.get(invoice["_intent"], "payment_intent")
    if decline and behaviour == "error_if_incomplete":
        error = intents.card_error(intent, decline)
        error.keeps_effects = False
        raise error


@operation("subscriptions.update")
def update(account: Account, request: Request) -> Body:
    """Change in place: items with proration, the trial, the end, collection, or what is merely noted."""
    parameters = request.parameters
    subscription = account.get(request.ids[0], SUBSCRIPTION.kind)
    if subscription["status"] in subscriptions.ENDED and set(parameters.names()) - {"metadata", "expand"}:
        raise errors.StripeError("A canceled subscription can only update its metadata.")
    before = dict(subscription)
    _note(account, subscription, parameters)
    _schedule_end(account, subscription, parameters)
    invoice = None
    if _trial_ends_at_once(account, subscription, parameters) and renewals.trial_ends_without_method(
        account, subscription
    ):
        return account.get(subscription["id"], SUBSCRIPTION.kind)
    if {"items", "trial_end", "billing_cycle_anchor"} & set(parameters.names()):
        invoice = billing_changes.carry_out(account, subscription, change_of(account, subscription, parameters))
    subscription = account.get(subscription["id"], SUBSCRIPTION.kind)
    previous = {k: v for k, v in before.items() if not k.startswith("_") and subscription.get(k) != v}
    if previous:
        account.emit("customer.subscription.updated", subscription, previous)
    if invoice is not None:
        _collect(account, invoice["id"], parameters.get("payment_behavior", "allow_incomplete"))
    for name in ("payment_behavior", "proration_behavior", "proration_date", "off_session"):
        parameters.get(name)
    return account.get(subscription["id"], SUBSCRIPTION.kind)


def _trial_ends_at_once(account: Account, subscription: Body, parameters: Parameters) -> bool:
    if subscription["status"] != "trialing" or "trial_end" not in parameters:
        return False
    now = account.now(subscription["test_clock"])
    end = trial_end(parameters, now)
    return end is None or end <= now


def _note(account: Account, subscription: Body, parameters: Parameters) -> None:
    wanted: dict[str, Any] = {**changes.given(parameters, ("default_payment_method",)), **_values(parameters)}
    if chosen := wanted.get("default_payment_method"):
        found = payment_methods.of_customer(account, chosen, subscription["customer"], "default_payment_method")
        wanted["default_payment_method"] = found["id"]
    if "pause_collection" in parameters:
        sent = changes.given(parameters, ("pause_collection",))["pause_collection"]
        wanted["pause_collection"] = {"resumes_at": None, **sent} if sent else None
    if "cancellation_details" in parameters:
        sent = parameters.group("cancellation_details").plain()
        wanted["cancellation_details"] = {**subscription["cancellation_details"], **sent}
    wanted["metadata"] = changes.metadata(parameters, subscription["metadata"])
    account.change(subscription, None, **wanted)
    if "discounts" in parameters:
        subscription["discounts"] = []
        coupon = discounts.from_parameters(account, parameters, subscription["currency"])
        if coupon:
            discounts.attach(account, subscription, *coupon, account.now(subscription["test_clock"]))
        account.save(subscription)
    subscriptions.plan_ahead(account, subscription)


def change_of(account: Account, subscription: Body, parameters: Parameters) -> Change:
    """What an update (or the details of a preview) asks for."""
    now = account.now(subscription["test_clock"])
    sent = parameters.get("items")
    items = (
        billing_changes.items_after(account, subscription, sent)
        if sent
        else [dict(item) for item in subscription["items"]["data"]]
    )
    anchor = parameters.group("billing_cycle_anchor").get("type", "unchanged")
    return Change(
        items,
        parameters.get("proration_behavior", "create_prorations"),
        parameters.get("proration_date", now),
        restart=anchor == "now",
        trial_end=trial_end(parameters, now) if "trial_end" in parameters else None,
    )


def _collect(account: Account, invoice: str, behaviour: str) -> None:
    if behaviour == "pending_if_incomplete":
        raise errors.unsupported("payment_behavior")
    if behaviour == "default_incomplete":
        return
    renewals.collect(account, invoice)
    unpaid = account.get(invoice, "invoice")
    if behaviour == "error_if_incomplete" and unpaid["status"] == "open":
        intent = account.get(unpaid["_intent"], "payment_intent")
        failure = intent["last_payment_error"] or {}
        message = failure.get("message", "The payment needs the customer to authenticate.")
        raise errors.StripeError(
            message, code=failure.get("code"), kind="card_error", status=402, payment_intent=intent
        )


def _visible(body: Body, parameters: Parameters) -> bool:
    """Lists leave canceled subscriptions out unless asked for."""
    wanted = parameters.get("status")
    if wanted == "all":
        return True
    if wanted == "ended":
        return body["status"] in subscriptions.ENDED
    return body["status"] == wanted if wanted else body["status"] not in subscriptions.ENDED


def _has_price(body: Body, price: str) -> bool:
    return any(item["price"]["id"] == price for item in body["items"]["data"])


def _end_all(account: Account, customer: Body) -> None:
    for subscription in account.all(SUBSCRIPTION.kind, customer=customer["id"]):
        if subscription["status"] not in subscriptions.ENDED:
            subscriptions.end(account, subscription, "cancellation_requested")


def _forget_method(account: Account, method: Body) -> None:
    """A method that was detached pays for nothing any more; the customer's default does, if there is one."""
    for subscription in account.all(SUBSCRIPTION.kind, default_payment_method=method["id"]):
        if subscription["status"] not in subscriptions.ENDED:
            account.change(subscription, "customer.subscription.updated", default_payment_method=None)


customers.ON_DELETE.append(_end_all)
payment_methods.ON_DETACH.append(_forget_method)
retrieve("subscriptions.retrieve", SUBSCRIPTION)
listing(
    "subscriptions.list",
    Listing(SUBSCRIPTION, tests={"price": _has_price, "status": lambda body, wanted: True}, always=_visible),
)
