"""Subscription schedules over the API: made from a running subscription, given later phases, released."""

from fake_stripe import changes, errors
from fake_stripe.account import Account
from fake_stripe.billing import changes as billing_changes
from fake_stripe.billing import periods, schedules, subscriptions
from fake_stripe.billing.schedules import SCHEDULE
from fake_stripe.contract.parameters import Parameters
from fake_stripe.resource import Listing, Request, listing, operation, retrieve
from fake_stripe.storage.objects import Body

MAX_PHASES = 10


@operation("subscription_schedules.create")
def create(account: Account, request: Request) -> Body:
    """From a subscription only; it takes its phases by an update, as Stripe demands."""
    if "from_subscription" not in request.parameters:
        raise errors.unsupported("customer")
    found = account.get(request.parameters["from_subscription"], "subscription", "from_subscription")
    return schedules.begin(account, found)


@operation("subscription_schedules.update")
def update(account: Account, request: Request) -> Body:
    """What the phases are from now on; the running one keeps its start and its items."""
    parameters = request.parameters
    schedule = _active(account, request.ids[0])
    wanted = {
        "end_behavior": parameters.get("end_behavior", schedule["end_behavior"]),
        "metadata": changes.metadata(parameters, schedule["metadata"]),
    }
    if wanted["end_behavior"] not in ("release", "cancel"):
        raise errors.unsupported("end_behavior")
    # What changes now would be prorated; later phases begin where a period begins.
    parameters.get("proration_behavior")
    if "phases" in parameters:
        wanted["phases"] = _phases(account, schedule, parameters["phases"])
        first = wanted["phases"][0]
        wanted["current_phase"] = {"start_date": first["start_date"], "end_date": first["end_date"]}
    return account.change(schedule, "subscription_schedule.updated", **wanted)


def _active(account: Account, identifier: str) -> Body:
    schedule = account.get(identifier, SCHEDULE.kind)
    if schedule["status"] != "active":
        raise errors.StripeError(f"The schedule is {schedule['status']}; only active ones can be changed.")
    return schedule


def _phases(account: Account, schedule: Body, sent: list[Parameters]) -> list[Body]:
    subscription = account.get(schedule["subscription"], "subscription")
    running = schedule["current_phase"]
    if not 1 <= len(sent) <= MAX_PHASES:
        raise errors.invalid("phases", f"A schedule has from 1 to {MAX_PHASES} phases.")
    if sent[0].get("start_date", running["start_date"]) != running["start_date"]:
        raise errors.invalid("phases[0][start_date]", "You can not modify the start date of the current phase.")
    found, start = [], running["start_date"]
    for place, entry in enumerate(sent):
        if entry.get("start_date", start) != start:
            raise errors.invalid(entry.path("start_date"), "A phase begins where the one before it ends.")
        made = _phase(account, subscription, entry, start)
        if place == 0:
            _refuse_change_now(subscription, entry, made)
        found.append(made)
        start = made["end_date"]
    return found


def _phase(account: Account, subscription: Body, entry: Parameters, start: int) -> Body:
    prices = [(billing_changes.price_of(account, item), item.get("quantity", 1)) for item in entry["items"]]
    for item in entry["items"]:
        if not item.get("metadata", {}) == {}:
            raise errors.unsupported(item.path("metadata"))
    # Discounts stay on the subscription, where they are; a phase may only say so.
    if any("discount" not in each.plain() for each in entry.get("discounts") or []):
        raise errors.unsupported(entry.path("discounts"))
    items = [schedules.phase_item(price, quantity) for price, quantity in prices]
    entry.get("trial")
    end = _end(entry, start)
    behaviour = entry.get("proration_behavior", "create_prorations")
    return schedules.phase(subscription, items, start, end, proration_behavior=behaviour)


def _end(entry: Parameters, start: int) -> int:
    if "end_date" in entry:
        if entry["end_date"] == "now" or entry["end_date"] <= start:
            raise errors.invalid(entry.path("end_date"), "A phase ends after its start.")
        return entry["end_date"]
    if "duration" not in entry:
        raise errors.missing_parameter(entry.path("end_date"))
    duration = entry.group("duration")
    return periods.next_boundary(start, start, duration["interval"], duration.get("interval_count", 1))


def _refuse_change_now(subscription: Body, entry: Parameters, made: Body) -> None:
    """The fake Stripe changes running subscriptions by `subscriptions.update` only."""
    now = [(item["price"]["id"], item["quantity"]) for item in subscription["items"]["data"]]
    if [(item["price"], item["quantity"]) for item in made["items"]] != now:
        raise errors.unsupported(entry.path("items"))
    if made["end_date"] != subscriptions.period_of(subscription)[1]:
        raise errors.unsupported(entry.path("end_date"))


@operation("subscription_schedules.release")
def release(account: Account, request: Request) -> Body:
    """The subscription goes on as it is."""
    request.parameters.get("preserve_cancel_date")
    schedule = _active(account, request.ids[0])
    return schedules.release(account, schedule, account.now(schedule["test_clock"]))


@operation("subscription_schedules.cancel")
def cancel(account: Account, request: Request) -> Body:
    """With its subscription, at once."""
    parameters = request.parameters
    if parameters.get("invoice_now") or parameters.get("prorate"):
        raise errors.unsupported("prorate")
    schedule = _active(account, request.ids[0])
    subscription = account.get(schedule["subscription"], "subscription")
    subscriptions.end(account, subscription, "cancellation_requested")
    return account.get(schedule["id"], SCHEDULE.kind)


retrieve("subscription_schedules.retrieve", SCHEDULE)
listing("subscription_schedules.list", Listing(SCHEDULE))
