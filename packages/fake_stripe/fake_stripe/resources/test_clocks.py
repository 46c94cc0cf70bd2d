"""Test clocks: frozen time for some customers, advanced on request, with everything due on the way."""

import stripe

from fake_stripe import errors, timers
from fake_stripe.account import Account
from fake_stripe.resource import Listing, Request, Resource, bury, listing, operation, retrieve
from fake_stripe.resources import customers
from fake_stripe.storage.objects import Body
from fake_stripe.timers import action

TEST_CLOCK = Resource(stripe.test_helpers.TestClock, "clock")
# A clock that runs looks at its own queue at least so often.
_LOOK_SECONDS = 30
_KEPT_SECONDS = 30 * 24 * 3600
# Stripe's own bound is two of the longest billing intervals; this one is only against slips of the pen.
MAX_STEP_SECONDS = 5 * 366 * 24 * 3600


@operation("test_helpers.test_clocks.create")
def create(account: Account, request: Request) -> Body:
    """A clock that stands still at `frozen_time`."""
    parameters = request.parameters
    body = TEST_CLOCK.new(
        account,
        deletes_after=account.now() + _KEPT_SECONDS,
        frozen_time=parameters["frozen_time"],
        name=parameters.get("name"),
        status="ready",
        status_details={"advancing": None},
    )
    return account.add(body, "test_helpers.test_clock.created")


@operation("test_helpers.test_clocks.advance")
def advance(account: Account, request: Request) -> Body:
    """Begin to advance; the answer says `advancing`, and an event tells when the clock is ready."""
    body = account.get(request.ids[0], TEST_CLOCK.kind)
    return begin(account, body, request.parameters["frozen_time"])


def begin(account: Account, body: Body, target: int) -> Body:
    """Start towards `target` (seconds since 1970). Raises StripeError if it lies behind, or the clock is busy."""
    if body["status"] != "ready":
        raise errors.StripeError("The test clock is advancing already.", code="test_clock_advancing", status=429)
    if not body["frozen_time"] < target <= body["frozen_time"] + MAX_STEP_SECONDS:
        raise errors.invalid("frozen_time", "frozen_time must lie after the clock's time, by five years at most.")
    details = {"advancing": {"target_frozen_time": target}}
    account.change(body, "test_helpers.test_clock.advancing", status="advancing", status_details=details)
    account.schedule(account.now(), "advance_clock", body)
    return body


@action("advance_clock")
def step(account: Account, identifier: str) -> None:
    """One thing that is due, or the end; a transaction each, so that a crash loses nothing and repeats nothing."""
    clock = account.find(identifier, TEST_CLOCK.kind)
    if clock is None or clock["status"] != "advancing":
        return
    target = clock["status_details"]["advancing"]["target_frozen_time"]
    due = timers.next_due(account.connection, clock["id"], target)
    if due is None:
        details = {"advancing": None}
        account.change(clock, None, frozen_time=target, status="ready", status_details=details)
        if clock.get("_ahead") is not None:
            account.change(clock, None, _ahead=max(0, target - account.now()))
        account.emit("test_helpers.test_clock.ready", clock)
        return
    account.change(clock, None, frozen_time=max(clock["frozen_time"], due["due"]))
    timers.take(account.connection, due)
    timers.ACTIONS[due["action"]](account, due["object"])
    account.schedule(account.now(), "advance_clock", clock)


def run(account: Account, body: Body) -> Body:
    """From now on it goes as the wall clock does, and as far ahead of it as it is; one that is behind catches up.

    Stripe's clocks never do: this is for a demo that somebody uses for days.
    """
    if body.get("_ahead") is None:
        account.change(body, None, _ahead=max(0, body["frozen_time"] - account.now()))
    _look_later(account, body)
    return body


@action("follow_clock")
def follow(account: Account, identifier: str) -> None:
    """Does what has fallen due on a clock that runs, each thing at its own moment."""
    clock = account.find(identifier, TEST_CLOCK.kind)
    if clock is None or clock.get("_ahead") is None:
        return
    now = account.now() + clock["_ahead"]
    behind = clock["status"] == "ready" and clock["frozen_time"] < now
    if behind and timers.next_due(account.connection, clock["id"], now) is not None:
        begin(account, clock, now)
    _look_later(account, clock)


def _look_later(account: Account, clock: Body) -> None:
    latest = account.now() + _LOOK_SECONDS
    due = timers.next_due(account.connection, clock["id"], latest + clock["_ahead"])
    wanted = latest if due is None else due["due"] - clock["_ahead"]
    account.schedule(max(account.now() + 1, min(wanted, latest)), "follow_clock", clock)


@timers.on_failure("advance_clock")
def fail(account: Account, identifier: str) -> None:
    """Something on the way broke: the clock says so and stays where it is."""
    clock = account.find(identifier, TEST_CLOCK.kind)
    if clock is not None:
        account.change(clock, "test_helpers.test_clock.internal_failure", status="internal_failure")


@operation("test_helpers.test_clocks.delete")
def delete(account: Account, request: Request) -> Body:
    """With all of its customers."""
    body = account.get(request.ids[0], TEST_CLOCK.kind)
    for customer in account.all("customer", test_clock=body["id"]):
        customers.remove(account, customer)
    return bury(account, body, "test_helpers.test_clock.deleted")


retrieve("test_helpers.test_clocks.retrieve", TEST_CLOCK)
listing("test_helpers.test_clocks.list", Listing(TEST_CLOCK))
