"""Disputes: a payer's bank takes the money back, and perhaps gives it back again."""

import stripe

from fake_stripe import changes, errors
from fake_stripe.account import Account
from fake_stripe.contract.shapes import build
from fake_stripe.payments import intents
from fake_stripe.resource import Listing, Request, Resource, listing, operation, retrieve
from fake_stripe.resources import payment_methods
from fake_stripe.storage.objects import Body

DISPUTE = Resource(stripe.Dispute, "du")
OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
_ANSWER_SECONDS = 7 * 24 * 3600


def open_dispute(
    account: Account, charge: Body, amount: int | None = None, reason: str = "fraudulent", inquiry: bool = False
) -> Body:
    """Dispute `amount` (default: all) of a succeeded charge; an `inquiry` takes no money yet.

    Raises StripeError if the charge cannot be disputed or has an open dispute.
    """
    if charge["status"] != "succeeded":
        raise errors.StripeError("Only succeeded charges can be disputed.", param="charge")
    if any(dispute["status"] in OPEN for dispute in account.all(DISPUTE.kind, charge=charge["id"])):
        raise errors.StripeError("The charge has an open dispute.", param="charge")
    amount = charge["amount"] if amount is None else amount
    if not 1 <= amount <= charge["amount"]:
        raise errors.invalid("amount", f"amount must be from 1 to {charge['amount']}")
    dispute = _new(account, charge, amount, reason, inquiry)
    account.change(charge, None, disputed=True)
    account.add(dispute, "charge.dispute.created")
    if not inquiry:
        account.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def _new(account: Account, charge: Body, amount: int, reason: str, inquiry: bool) -> Body:
    brand = (charge["payment_method_details"].get("card") or {}).get("brand") or "visa"
    details = stripe.Dispute.PaymentMethodDetails
    card = build(details.Card, brand=brand, case_type="inquiry" if inquiry else "chargeback", network=brand)
    others = frozenset({"amazon_pay", "klarna", "paypal"})
    evidence = build(
        stripe.Dispute.EvidenceDetails,
        due_by=account.now() + _ANSWER_SECONDS,
        submission_count=0,
        submission_method="not_submitted",
    )
    return DISPUTE.new(
        account,
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        evidence=_evidence(),
        evidence_details=evidence,
        is_charge_refundable=inquiry,
        payment_intent=charge["payment_intent"],
        payment_method_details=build(details, others, type="card", card=card),
        reason=reason,
        status="warning_needs_response" if inquiry else "needs_response",
    )


def _evidence() -> Body:
    """Nothing said yet: every kind of evidence is null."""
    evidence = build(stripe.Dispute.Evidence, frozenset({"enhanced_evidence"}))
    return {**evidence, "enhanced_evidence": build(stripe.Dispute.Evidence.EnhancedEvidence)}


def close(account: Account, dispute: Body, won: bool) -> Body:
    """Decide an open dispute. Money of a won one comes back; an inquiry closes without having taken any."""
    if dispute["status"] not in OPEN:
        raise errors.StripeError(f"The dispute is {dispute['status']} already.")
    inquiry = dispute["status"].startswith("warning_")
    if inquiry and not won:
        raise errors.StripeError("An inquiry that is not answered becomes a dispute: open one.")
    previous = {"status": dispute["status"]}
    dispute["status"] = "warning_closed" if inquiry else "won" if won else "lost"
    account.save(dispute)
    if won and not inquiry:
        account.emit("charge.dispute.funds_reinstated", dispute)
    account.emit("charge.dispute.closed", dispute, previous)
    return dispute


@operation("disputes.update")
def update(account: Account, request: Request) -> Body:
    """Evidence and metadata. The test evidence `winning_evidence` and `losing_evidence` decide it on submission."""
    parameters = request.parameters
    body = account.get(request.ids[0], DISPUTE.kind)
    evidence = changes.given(parameters, ("evidence",)).get("evidence") or {}
    details = dict(body["evidence_details"])
    details["has_evidence"] = details["has_evidence"] or bool(evidence)
    submitted = bool(evidence) and parameters.get("submit", True)
    if submitted:
        details.update(submission_count=details["submission_count"] + 1, submission_method="manual")
    account.change(
        body,
        "charge.dispute.updated",
        evidence={**body["evidence"], **evidence},
        evidence_details=details,
        metadata=changes.metadata(parameters, body["metadata"]),
        status=body["status"].replace("needs_response", "under_review") if submitted else body["status"],
    )
    verdict = evidence.get("uncategorized_text")
    if submitted and verdict in ("winning_evidence", "losing_evidence"):
        return close(account, body, verdict == "winning_evidence")
    return body


@operation("disputes.close")
def accept(account: Account, request: Request) -> Body:
    """Give in: the dispute is lost; an inquiry ends there, as nothing was taken yet."""
    body = account.get(request.ids[0], DISPUTE.kind)
    return close(account, body, won=body["status"].startswith("warning_"))


def _dispute_at_once(account: Account, charge: Body, method: Body) -> None:
    """The test cards whose payments are always disputed, or asked about."""
    later = payment_methods.behaviour(method).later
    if later in ("dispute", "inquiry"):
        open_dispute(account, charge, inquiry=later == "inquiry")


intents.AFTER_SUCCESS.append(_dispute_at_once)
retrieve("disputes.retrieve", DISPUTE)
listing("disputes.list", Listing(DISPUTE))
