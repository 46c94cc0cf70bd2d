"""What banks do afterwards: disputes and failed refunds."""

from typing import Any

from fake_stripe.account import Account
from fake_stripe.control.registry import Sent, control
from fake_stripe.errors import StripeError
from fake_stripe.resources import disputes, refunds


@control("POST", "/disputes")
def open_dispute(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Dispute a `charge`, or the one of a `payment_intent`; `amount`, `reason`, `inquiry` to take no money yet."""
    charge = sent.take("charge", str, None)
    intent = sent.take("payment_intent", str, None)
    if intent:
        charge = account.get(intent, "payment_intent", "payment_intent")["latest_charge"]
    found = account.get(charge or "", "charge", "charge")
    return disputes.open_dispute(
        account,
        found,
        sent.take("amount", int, None),
        sent.take("reason", str, "fraudulent"),
        sent.take("inquiry", bool, False),
    )


@control("POST", "/disputes/{dispute}/close")
def close_dispute(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Decide it: `outcome` is `won` or `lost`."""
    outcome = sent.take("outcome", str)
    if outcome not in ("won", "lost"):
        raise StripeError("outcome must be won or lost", param="outcome")
    return disputes.close(account, account.get(ids["dispute"], "dispute"), outcome == "won")


@control("POST", "/refunds/{refund}/fail")
def fail_refund(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """The bank sends a refund back; `reason` as on the refund object."""
    reason = sent.take("reason", str, "expired_or_canceled_card")
    return refunds.fail(account, account.get(ids["refund"], "refund"), reason)


@control("POST", "/refunds/{refund}/settle")
def settle_refund(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Let the bank answer now about a refund."""
    refunds.settle(account, ids["refund"])
    return account.get(ids["refund"], "refund")
