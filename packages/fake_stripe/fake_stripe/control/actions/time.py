"""Time and its accidents: clocks that advance while one waits, renewals that fail, an account's settings."""

from typing import Any

from fake_stripe import faults, settings
from fake_stripe.account import Account
from fake_stripe.control.registry import Sent, control
from fake_stripe.errors import missing_parameter
from fake_stripe.resources import test_clocks


@control("POST", "/clocks/{clock}/advance")
def advance(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Advance `to` (seconds since 1970) or by `seconds`; unlike Stripe's call it answers when all is done."""
    clock = account.get(ids["clock"], "test_helpers.test_clock")
    to, seconds = sent.take("to", int, None), sent.take("seconds", int, None)
    if to is None and seconds is None:
        raise missing_parameter("to")
    clock = test_clocks.begin(account, clock, to if to is not None else account.now(clock["id"]) + seconds)
    while clock["status"] == "advancing":
        test_clocks.step(account, clock["id"])
        clock = account.get(clock["id"], "test_helpers.test_clock")
    account.unschedule(clock, "advance_clock")
    return clock


@control("POST", "/clocks/{clock}/run")
def run(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Let a test clock go on by itself, as the wall clock does."""
    return test_clocks.run(account, account.get(ids["clock"], "test_helpers.test_clock"))


@control("POST", "/subscriptions/{subscription}/fail-next-renewal")
def fail_next_renewal(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Let the next `count` (default 1) automatic payments of a subscription be declined, whatever its card."""
    subscription = account.get(ids["subscription"], "subscription")
    count = sent.take("count", int, 1)
    options = {"subscription": subscription["id"]}
    return {"fault": faults.add(account.connection, account.id, "fail_renewal", count, options)}


@control("GET", "/settings")
def read_settings(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """What an account's owner would set in the dashboard."""
    return settings.read(account)


@control("PUT", "/settings")
def write_settings(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """Change it: `after_final_failure` is `cancel`, `unpaid` or `past_due`."""
    return settings.write(account, sent.rest())


@control("GET", "/account")
def read_account(account: Account, ids: dict[str, str], sent: Sent) -> dict[str, Any]:
    """The account of this key; its dashboard is `{public-url}/accounts/{id}`."""
    return {"id": account.id, "dashboard": f"{account.public_url}/accounts/{account.id}"}
