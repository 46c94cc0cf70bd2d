"""Charges: one attempt to take money, succeeded, failed or pending."""

import stripe

from fake_stripe.account import Account
from fake_stripe.contract.shapes import annotations_of, build
from fake_stripe.payments.cards import Decline
from fake_stripe.resource import Resource
from fake_stripe.storage.objects import Body

CHARGE = Resource(stripe.Charge, "ch", frozenset({"deleted", "refunds", "level3", "authorization_code"}))
_METHOD_TYPES = frozenset(annotations_of(stripe.Charge.PaymentMethodDetails)) - {"type"}
_BY_STATUS = {"succeeded": "charge.succeeded", "pending": "charge.pending", "failed": "charge.failed"}


def make(account: Account, intent: Body, method: Body, status: str, decline: Decline | None, clock: str | None) -> Body:
    """Keep the charge of an attempt to pay `intent` with `method`, and tell of it."""
    body = CHARGE.new(
        account,
        clock,
        amount=intent["amount"],
        amount_captured=intent["amount"] if status == "succeeded" else 0,
        amount_refunded=0,
        billing_details=method["billing_details"],
        calculated_statement_descriptor="BILLING CONSOLE",
        captured=status == "succeeded",
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        metadata=dict(intent["metadata"]),
        paid=status in ("succeeded", "pending"),
        payment_intent=intent["id"],
        payment_method=method["id"],
        payment_method_details=_details(method),
        receipt_email=intent["receipt_email"],
        status=status,
        **_verdict(decline),
    )
    return account.add(body, _BY_STATUS[status])


def settle(account: Account, charge: Body, decline: Decline | None) -> Body:
    """A pending charge succeeds or fails."""
    status = "failed" if decline else "succeeded"
    charge.update(
        status=status,
        captured=not decline,
        paid=not decline,
        amount_captured=0 if decline else charge["amount"],
        **_verdict(decline),
    )
    account.save(charge)
    account.emit(_BY_STATUS[status], charge)
    return charge


def _verdict(decline: Decline | None) -> Body:
    if decline is None:
        outcome = build(
            stripe.Charge.Outcome,
            network_status="approved_by_network",
            risk_level="normal",
            risk_score=20,
            seller_message="Payment complete.",
            type="authorized",
        )
        return {"failure_code": None, "failure_message": None, "outcome": outcome}
    outcome = build(
        stripe.Charge.Outcome,
        network_status="declined_by_network",
        reason=decline.reason,
        risk_level="normal",
        risk_score=20,
        seller_message="The bank did not approve the payment.",
        type="issuer_declined",
    )
    return {"failure_code": decline.code, "failure_message": decline.message, "outcome": outcome}


def _details(method: Body) -> Body:
    kind = method["type"]
    classes = {
        "card": stripe.Charge.PaymentMethodDetails.Card,
        "us_bank_account": stripe.Charge.PaymentMethodDetails.UsBankAccount,
    }
    shape = classes[kind]
    known = {name: value for name, value in method[kind].items() if name in annotations_of(shape)}
    for name in ("networks", "three_d_secure_usage", "checks"):
        known.pop(name, None)
    return build(stripe.Charge.PaymentMethodDetails, _METHOD_TYPES, type=kind, **{kind: build(shape, **known)})
