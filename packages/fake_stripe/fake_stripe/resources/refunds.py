"""Refunds: whole, partial, repeated, pending, failed. Details are on `refund.*` events."""

import stripe

from fake_stripe import changes, errors
from fake_stripe.account import Account
from fake_stripe.contract.parameters import Parameters
from fake_stripe.contract.shapes import build
from fake_stripe.expansion import includable
from fake_stripe.resource import Listing, Request, Resource, envelope, listing, operation, retrieve
from fake_stripe.resources import payment_methods
from fake_stripe.storage.objects import Body
from fake_stripe.timers import action

REFUND = Resource(stripe.Refund, "re", frozenset({"deleted", "presentment_details", "payment_method"}))
# How long a pending refund takes to settle, and a doomed one to come back, by the customer's clock; days in reality.
SETTLEMENT_SECONDS = 3


@operation("refunds.create")
def create(account: Account, request: Request) -> Body:
    """All that is left of a charge, or `amount` of it. Raises StripeError for more than is left."""
    parameters = request.parameters
    charge = _charge(account, parameters)
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = parameters.get("amount", left)
    if charge["status"] != "succeeded":
        raise errors.invalid("charge", f"Charge {charge['id']} has not succeeded.")
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise errors.StripeError(message, code="charge_already_refunded", param="charge")
    if not 1 <= amount <= left:
        raise errors.invalid("amount", f"Refund amount ({amount}) must be from 1 to what is left ({left}).")
    if _lost(account, charge):
        raise errors.StripeError("The charge was charged back.", code="charge_disputed", param="charge")
    return make(account, charge, amount, parameters.get("reason"), changes.metadata(parameters))


def _charge(account: Account, parameters: Parameters) -> Body:
    if ("charge" in parameters) == ("payment_intent" in parameters):
        raise errors.missing_parameter("payment_intent")
    if "charge" in parameters:
        return account.get(parameters["charge"], "charge", "charge")
    intent = account.get(parameters["payment_intent"], "payment_intent", "payment_intent")
    if not intent["latest_charge"]:
        raise errors.invalid("payment_intent", f"{intent['id']} has no successful charge to refund.")
    return account.get(intent["latest_charge"], "charge", "payment_intent")


def _lost(account: Account, charge: Body) -> bool:
    return any(dispute["status"] == "lost" for dispute in account.all("dispute", charge=charge["id"]))


def make(account: Account, charge: Body, amount: int, reason: str | None, metadata: dict[str, str]) -> Body:
    """Keep a refund of `amount` minor units and tell of it."""
    method = account.get(charge["payment_method"], "payment_method")
    later = payment_methods.behaviour(method).later
    pending = later == "refund_pending" or method["type"] != "card"
    refund = REFUND.new(
        account,
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        customer=charge["customer"],
        destination_details=_destination(method),
        metadata=metadata,
        payment_intent=charge["payment_intent"],
        reason=reason,
        status="pending" if pending else "succeeded",
    )
    account.add(refund)
    _count(account, charge, amount)
    account.emit("charge.refunded", charge)
    account.emit("refund.created", refund)
    if pending or later == "refund_fails":
        clock = account.clock_of(charge["customer"])
        account.schedule(account.now(clock) + SETTLEMENT_SECONDS, "settle_refund", refund, clock)
    return refund


def _destination(method: Body) -> Body | None:
    if method["type"] != "card":
        return None
    details = stripe.Refund.DestinationDetails
    card = build(details.Card, type="refund", reference_status="pending", reference_type="acquirer_reference_number")
    others = frozenset(details.__annotations__) - {"type", "card"}
    return build(details, others, type="card", card=card)


def _count(account: Account, charge: Body, amount: int) -> None:
    refunded = charge["amount_refunded"] + amount
    charge.update(amount_refunded=refunded, refunded=refunded == charge["amount_captured"])
    account.save(charge)


@action("settle_refund")
def settle(account: Account, identifier: str) -> None:
    """The bank's word on a refund: it arrived, or the account it should go to is closed."""
    refund = account.find(identifier, REFUND.kind)
    if refund is None or refund["status"] not in ("pending", "succeeded"):
        return
    charge = account.get(refund["charge"], "charge")
    method = account.get(charge["payment_method"], "payment_method")
    if payment_methods.behaviour(method).later == "refund_fails":
        fail(account, refund)
    elif refund["status"] == "pending":
        refund["status"] = "succeeded"
        _changed(account, refund, {"status": "pending"})


def fail(account: Account, refund: Body, reason: str = "expired_or_canceled_card") -> Body:
    """The money comes back to the seller. Raises StripeError if it failed or was canceled before."""
    if refund["status"] not in ("pending", "succeeded"):
        raise errors.StripeError(f"The refund is {refund['status']} already.")
    account.unschedule(refund)
    previous = {"status": refund["status"]}
    refund.update(status="failed", failure_reason=reason)
    _count(account, account.get(refund["charge"], "charge"), -refund["amount"])
    _changed(account, refund, previous)
    account.emit("refund.failed", refund)
    return refund


@operation("refunds.update")
def update(account: Account, request: Request) -> Body:
    """Metadata only."""
    body = account.get(request.ids[0], REFUND.kind)
    previous = {"metadata": body["metadata"]}
    body["metadata"] = changes.metadata(request.parameters, body["metadata"])
    return _changed(account, body, previous)


def _changed(account: Account, refund: Body, previous: Body) -> Body:
    """Keep it and tell of it, under the new name and the old one."""
    account.save(refund)
    for name in ("refund.updated", "charge.refund.updated"):
        account.emit(name, refund, previous)
    return refund


@operation("refunds.cancel")
def cancel(account: Account, request: Request) -> Body:
    """While it is pending."""
    body = account.get(request.ids[0], REFUND.kind)
    if body["status"] != "pending":
        raise errors.StripeError(f"Only pending refunds can be canceled; this one is {body['status']}.")
    account.unschedule(body)
    body["status"] = "canceled"
    _changed(account, body, {"status": "pending"})
    _count(account, account.get(body["charge"], "charge"), -body["amount"])
    return body


@includable("charge", "refunds")
def of_charge(account: Account, charge: Body) -> Body:
    """A charge's refunds, newest first."""
    return envelope(f"/v1/charges/{charge['id']}/refunds", account.all(REFUND.kind, charge=charge["id"]))


retrieve("refunds.retrieve", REFUND)
listing("refunds.list", Listing(REFUND))
