"""Money going back: refunds and disputes."""

import pytest
import stripe

from tests.fake_stripe.account import TestAccount
from tests.fake_stripe.answers import check


def paid(account: TestAccount, amount: int = 5000, number: str = "4242424242424242") -> stripe.PaymentIntent:
    """A payment of `amount` cents by Checkout, with its charge."""
    session = account.pay(account.session((account.price(amount), 1)), number)["session"]
    return check(account.v1.payment_intents.retrieve(session["payment_intent"], {"expand": ["latest_charge"]}))


def test_partial_refunds_add_up_to_the_charge_and_no_further(account: TestAccount) -> None:
    intent = paid(account)
    first = check(account.v1.refunds.create({"payment_intent": intent.id, "amount": 2000, "metadata": {"why": "x"}}))
    assert (first.status, first.amount, first.charge) == ("succeeded", 2000, intent.latest_charge.id)
    with pytest.raises(stripe.InvalidRequestError):
        account.v1.refunds.create({"payment_intent": intent.id, "amount": 3001})
    rest = check(account.v1.refunds.create({"charge": intent.latest_charge.id}))
    assert rest.amount == 3000
    charge = check(account.v1.charges.retrieve(intent.latest_charge.id, {"expand": ["refunds"]}))
    assert (charge.amount_refunded, charge.refunded) == (5000, True)
    assert [refund.id for refund in charge.refunds.data] == [rest.id, first.id]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        account.v1.refunds.create({"charge": charge.id})
    assert refused.value.code == "charge_already_refunded"
    assert account.event_types()[-4:] == ["charge.refunded", "refund.created"] * 2
    assert len(account.v1.refunds.list({"payment_intent": intent.id}).data) == 2


def test_a_failed_refund_gives_back(account: TestAccount) -> None:
    intent = paid(account, number="4000000000005126")
    refund = account.v1.refunds.create({"payment_intent": intent.id})
    assert refund.status == "succeeded"
    failed = account.control("POST", f"/refunds/{refund.id}/settle")
    assert (failed["status"], failed["failure_reason"]) == ("failed", "expired_or_canceled_card")
    assert account.v1.charges.retrieve(intent.latest_charge.id).amount_refunded == 0
    assert account.event_types()[-3:] == ["refund.updated", "charge.refund.updated", "refund.failed"]


def test_a_pending_refund_succeeds_later_or_is_canceled(account: TestAccount) -> None:
    first, second = paid(account, number="4000000000007726"), paid(account, number="4000000000007726")
    refund = account.v1.refunds.create({"payment_intent": first.id})
    assert refund.status == "pending"
    assert account.control("POST", f"/refunds/{refund.id}/settle")["status"] == "succeeded"
    other = account.v1.refunds.create({"payment_intent": second.id})
    assert check(account.v1.refunds.cancel(other.id)).status == "canceled"
    assert account.v1.charges.retrieve(second.latest_charge.id).amount_refunded == 0


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_a_dispute_is_decided(account: TestAccount, outcome: str) -> None:
    intent = paid(account)
    opened = account.control("POST", "/disputes", payment_intent=intent.id, amount=3000)
    dispute = check(account.v1.disputes.retrieve(opened["id"], {"expand": ["charge"]}))
    assert (dispute.status, dispute.amount, dispute.charge.disputed) == ("needs_response", 3000, True)
    account.control("POST", f"/disputes/{dispute.id}/close", outcome=outcome)
    assert account.v1.disputes.retrieve(dispute.id).status == outcome
    reinstated = ["charge.dispute.funds_reinstated"] if outcome == "won" else []
    expected = ["charge.dispute.created", "charge.dispute.funds_withdrawn", *reinstated, "charge.dispute.closed"]
    assert account.event_types()[-len(expected) :] == expected


def test_an_inquiry_takes_no_money(account: TestAccount) -> None:
    opened = account.control("POST", "/disputes", payment_intent=paid(account).id, inquiry=True)
    assert opened["status"] == "warning_needs_response"
    assert account.control("POST", f"/disputes/{opened['id']}/close", outcome="won")["status"] == "warning_closed"
    assert "charge.dispute.funds_withdrawn" not in account.event_types()


def test_evidence_decides_and_a_lost_charge_cannot_be_refunded(account: TestAccount) -> None:
    intent = paid(account, number="4000000000000259")
    dispute = account.v1.disputes.list({"payment_intent": intent.id}).data[0]
    evidence = {"evidence": {"uncategorized_text": "losing_evidence"}, "submit": True}
    assert check(account.v1.disputes.update(dispute.id, evidence)).status == "lost"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        account.v1.refunds.create({"payment_intent": intent.id})
    assert refused.value.code == "charge_disputed"
