"""Changing a running subscription: what it would cost, and doing exactly that."""

from dataclasses import dataclass, field

from fake_stripe import changes, errors
from fake_stripe.account import Account
from fake_stripe.billing import lines, periods, prorations, subscriptions
from fake_stripe.billing.lines import Draft
from fake_stripe.contract.parameters import Parameters
from fake_stripe.resources import prices
from fake_stripe.storage.objects import Body

MAX_ITEMS = 20


@dataclass(frozen=True)
class Change:
    """What is asked for: the items afterwards, how to settle the difference, and whether the cycle starts anew."""

    items: list[Body]
    behaviour: str = "create_prorations"
    at: int = 0
    restart: bool = False
    trial_end: int | None = None


@dataclass(frozen=True)
class Plan:
    """What a change comes to. `now` is invoiced at once, `later` waits for the next invoice."""

    items: list[Body]
    restarts: bool
    now: list[Draft] | None = None
    later: list[Draft] = field(default_factory=list)


def items_after(account: Account, subscription: Body, sent: list[Parameters]) -> list[Body]:
    """The items of a subscription with the entries of a request applied; entries name an item or add one."""
    items = [dict(item) for item in subscription["items"]["data"]]
    start, end = subscriptions.period_of(subscription)
    for entry in sent:
        if "id" in entry:
            item = _named(items, entry)
            if entry.get("deleted"):
                items.remove(item)
                continue
            replaced = _replaced(account, subscription, item, entry)
            items[items.index(item)] = {**replaced, "id": item["id"], "created": item["created"]}
        else:
            added = _item(account, subscription, entry, 1, {})
            items.append({**added, "current_period_start": start, "current_period_end": end})
    if not 1 <= len(items) <= MAX_ITEMS:
        raise errors.invalid("items", f"A subscription has from 1 to {MAX_ITEMS} items.")
    if len({item["price"]["id"] for item in items}) < len(items):
        raise errors.invalid("items", "A subscription cannot have two items of the same price.")
    return items


def _named(items: list[Body], entry: Parameters) -> Body:
    for item in items:
        if item["id"] == entry["id"]:
            return item
    raise errors.missing("subscription item", entry["id"], entry.path("id"), 400)


def _replaced(account: Account, subscription: Body, item: Body, entry: Parameters) -> Body:
    if "price" not in entry and "price_data" not in entry:
        metadata = changes.metadata(entry, item["metadata"])
        return {**item, "quantity": entry.get("quantity", item["quantity"]), "metadata": metadata}
    made = _item(account, subscription, entry, item["quantity"], item["metadata"])
    kept = {name: item[name] for name in ("current_period_start", "current_period_end")}
    return {**made, **kept}


def _item(account: Account, subscription: Body, entry: Parameters, quantity: int, metadata: dict[str, str]) -> Body:
    price = price_of(account, entry)
    if price["currency"] != subscription["currency"]:
        raise errors.invalid(entry.path("price"), "The price has another currency than the subscription.")
    now = account.now(subscription["test_clock"])
    wanted = entry.get("quantity", quantity)
    return subscriptions.new_item(account, subscription["id"], price, wanted, changes.metadata(entry, metadata), now)


def price_of(account: Account, entry: Parameters) -> Body:
    """The active, recurring price that an entry names or describes."""
    if "price_data" in entry:
        described = entry.group("price_data")
        product = account.get(described["product"], "product", described.path("product"))["id"]
        return prices.make(account, described, product, active=False)
    if "price" not in entry:
        raise errors.missing_parameter(entry.path("price"))
    return prices.sold(account, entry["price"], entry.path("price"))


def plan(account: Account, subscription: Body, change: Change) -> Plan:
    """What the change comes to, without doing it: previews and updates share this."""
    old = subscription["items"]["data"]
    now = account.now(subscription["test_clock"])
    trialing = subscription["status"] == "trialing"
    ends_trial = trialing and change.trial_end is not None and change.trial_end <= now
    other_rhythm = subscriptions.interval_of(old) != subscriptions.interval_of(change.items)
    if trialing and not ends_trial:
        return Plan(change.items, False)
    if change.restart or other_rhythm or ends_trial:
        return _restarted(account, subscription, change, trialing, now)
    if change.behaviour == "none":
        return Plan(change.items, False)
    found = prorations.drafts(account, subscription, old, change.items, change.at)
    if change.behaviour == "always_invoice" and found:
        return Plan(change.items, False, [*prorations.pending(account, subscription), *found])
    return Plan(change.items, False, None, found)


def _restarted(account: Account, subscription: Body, change: Change, trialing: bool, now: int) -> Plan:
    interval, count = subscriptions.interval_of(change.items)
    end = periods.next_boundary(now, now, interval, count)
    items = [{**item, "current_period_start": now, "current_period_end": end} for item in change.items]
    credit: list[Draft] = []
    if not trialing and change.behaviour != "none":
        credit = prorations.unused(account, subscription, subscription["items"]["data"], change.at)
    whole = [lines.whole(account, item, now, end) for item in items]
    return Plan(items, True, [*prorations.pending(account, subscription), *credit, *whole])


def carry_out(account: Account, subscription: Body, change: Change) -> Body | None:
    """Do it; the invoice that was opened for it, if any. The caller tells of the subscription and collects."""
    planned = plan(account, subscription, change)
    now = account.now(subscription["test_clock"])
    if planned.restarts:
        subscription["billing_cycle_anchor"] = now
        if subscription["status"] == "trialing":
            subscription.update(status="active", trial_end=now)
    elif change.trial_end is not None and change.trial_end > now:
        _prolong_trial(subscription, planned.items, change.trial_end)
    subscription["items"] = subscriptions.item_list(subscription["id"], planned.items)
    account.save(subscription)
    prorations.keep_pending(account, subscription, planned.later)
    subscriptions.plan_ahead(account, subscription)
    if planned.now is None:
        return None
    invoice = subscriptions.issue(account, subscription, planned.now, "subscription_update")
    prorations.take(account, planned.now, invoice)
    return invoice


def _prolong_trial(subscription: Body, items: list[Body], trial_end: int) -> None:
    subscription.update(trial_end=trial_end, billing_cycle_anchor=trial_end, status="trialing", _trial_notice=False)
    for item in items:
        item["current_period_end"] = trial_end
