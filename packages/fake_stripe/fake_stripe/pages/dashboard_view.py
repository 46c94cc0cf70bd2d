"""How the dashboard looks."""

import sqlite3
from itertools import islice
from typing import Any

from fake_stripe import faults
from fake_stripe.account import Account
from fake_stripe.billing import subscriptions
from fake_stripe.money import money
from fake_stripe.pages.html import Child, Markup, tag
from fake_stripe.pages.layout import ACTIONS, day, moment, table
from fake_stripe.pages.portal_view import action
from fake_stripe.resources.disputes import OPEN
from fake_stripe.storage.objects import Body

MAX_ROWS = 25
# Deliveries that a button can make at once: all but those that arrived, or whose endpoint is gone.
RETRIED = ("pending", "failed", "dropped")
_BAD = ("failed", "dropped", "past_due", "unpaid", "lost", "needs_response", "undelivered", "next payment fails")
_GOOD = ("delivered", "succeeded", "paid", "active", "won")


def choice(base: str, found: list[sqlite3.Row]) -> Markup:
    """Which account; they are told apart by the end of their keys."""
    if not found:
        return tag("p", "No key has been used yet.", class_="empty")
    rows: list[list[Child]] = [
        [tag("a", row["id"], href=f"{base}/accounts/{row['id']}"), f"…{row['key_hint']}", moment(row["created"])]
        for row in found
    ]
    panel = tag("section", table(["Account", "Key", "Since"], rows), class_="panel")
    return tag("div", tag("h1", "Accounts"), panel, class_="board")


def board(account: Account, base: str) -> Markup:
    """Everything about one account."""
    address = f"{base}/accounts/{account.id}"
    return tag(
        "div",
        tag("header", tag("h1", "Fake Stripe"), tag("span", account.id, class_="note")),
        _panel("Payments", ["Amount", "Status", "Customer", "When", ACTIONS], _payments(account, address), (0,)),
        _panel("Disputes", ["Amount", "Status", "When", ACTIONS], _disputes(account, address), (0,)),
        _panel("Refunds", ["Amount", "Status", "When", ACTIONS], _refunds(account, address), (0,)),
        _panel(
            "Subscriptions",
            ["What", "Customer", "Status", "Period ends", ACTIONS],
            _subscriptions(account, address),
        ),
        _panel("Test clocks", ["Clock", "Time", ACTIONS], _clocks(account, address)),
        _faults_panel(account, address),
        _panel("Events", ["Type", "Object", "When", ACTIONS], _events(account, address)),
        _panel(
            "Deliveries", ["Type", "State", "Attempts", "Last answer", "When", ACTIONS], _deliveries(account, address)
        ),
        class_="board",
    )


def _panel(title: str, heads: list[str], rows: list[list[Child]], numbers: tuple[int, ...] = ()) -> Markup:
    body = table(heads, rows, numbers, title) if rows else tag("p", f"No {title.lower()} yet.", class_="empty")
    return tag("section", tag("h2", title), body, class_="panel", aria_label=title)


def _badge(status: str) -> Markup:
    tone = " bad" if status in _BAD else " good" if status in _GOOD else ""
    return tag("span", status.replace("_", " "), class_=f"badge{tone}")


def _latest(account: Account, kind: str) -> list[Body]:
    return list(islice(account.walk(kind, {}), MAX_ROWS))


def _payments(account: Account, address: str) -> list[list[Child]]:
    rows: list[list[Child]] = []
    for intent in _latest(account, "payment_intent"):
        charge = account.find(intent["latest_charge"], "charge")
        buttons: list[Child] = []
        if charge and charge["status"] == "succeeded" and not charge["refunded"]:
            buttons.append(action(f"{address}/refund", "Refund", f"Refund {intent['id']}", charge=charge["id"]))
            if not charge["disputed"]:
                buttons.append(action(f"{address}/dispute", "Dispute", f"Dispute {intent['id']}", charge=charge["id"]))
        if intent["status"] == "processing":
            buttons.append(action(f"{address}/settle", "Settle now", f"Settle {intent['id']}", intent=intent["id"]))
        status = "refunded" if charge and charge["refunded"] else intent["status"]
        amount = money(intent["amount"], intent["currency"])
        cell = tag("div", buttons, class_="buttons")
        rows.append([amount, _badge(status), _customer(account, intent), moment(intent["created"]), cell])
    return rows


def _customer(account: Account, body: Body) -> str:
    customer = account.find(body["customer"], "customer") or {}
    return customer.get("email") or customer.get("name") or body["customer"] or "guest"


def _disputes(account: Account, address: str) -> list[list[Child]]:
    rows: list[list[Child]] = []
    for dispute in _latest(account, "dispute"):
        buttons: list[Child] = []
        if dispute["status"] in OPEN:
            for outcome, label in (("won", "Win"), ("lost", "Lose")):
                hidden = {"dispute": dispute["id"], "outcome": outcome}
                buttons.append(action(f"{address}/decide", label, f"{label} {dispute['id']}", **hidden))
        amount = money(dispute["amount"], dispute["currency"])
        cell = tag("div", buttons, class_="buttons")
        rows.append([amount, _badge(dispute["status"]), moment(dispute["created"]), cell])
    return rows


def _refunds(account: Account, address: str) -> list[list[Child]]:
    rows: list[list[Child]] = []
    for refund in _latest(account, "refund"):
        buttons: list[Child] = []
        if refund["status"] in ("pending", "succeeded"):
            buttons.append(action(f"{address}/fail-refund", "Fail", f"Fail {refund['id']}", refund=refund["id"]))
        amount = money(refund["amount"], refund["currency"])
        cell = tag("div", buttons, class_="buttons")
        rows.append([amount, _badge(refund["status"]), moment(refund["created"]), cell])
    return rows


def _subscriptions(account: Account, address: str) -> list[list[Child]]:
    rows: list[list[Child]] = []
    for subscription in _latest(account, "subscription"):
        _, end = subscriptions.period_of(subscription)
        first = subscription["items"]["data"][0]["price"]
        product = account.find(first["product"], "product") or {}
        button: Child = None
        if subscription["status"] not in subscriptions.ENDED:
            name = f"Fail next renewal of {subscription['id']}"
            button = action(f"{address}/fail-renewal", "Fail next renewal", name, subscription=subscription["id"])
        amount = money(first["unit_amount"], first["currency"])
        what = f"{product.get('name', '')}, {amount} every {first['recurring']['interval']}"
        label = tag("span", what, title=subscription["id"])
        doomed = faults.dooms_renewal(account.connection, account.id, subscription["id"])
        status = [_badge(subscription["status"]), " ", _badge("next payment fails") if doomed else None]
        cell = tag("div", button, class_="buttons")
        rows.append([label, _customer(account, subscription), tag("span", status), day(end), cell])
    return rows


def _clocks(account: Account, address: str) -> list[list[Child]]:
    rows: list[list[Child]] = []
    for clock in _latest(account, "test_helpers.test_clock"):
        if clock.get("deleted"):
            continue
        identifier = f"days-{clock['id']}"
        form = tag(
            "form",
            tag("input", type="hidden", name="clock", value=clock["id"]),
            tag("label", f"Days to advance {clock['id']}", for_=identifier, class_="unseen"),
            tag("input", id=identifier, name="days", type="number", min=1, max=400, value=31),
            tag("button", "Advance days", type="submit"),
            method="post",
            action=f"{address}/advance",
        )
        rows.append([clock["name"] or tag("code", clock["id"]), moment(account.now(clock["id"])), form])
    return rows


def _events(account: Account, address: str) -> list[list[Child]]:
    rows: list[list[Child]] = []
    for event in _latest(account, "event"):
        owed = _badge("delivered") if event["pending_webhooks"] == 0 else _badge("undelivered")
        button = action(f"{address}/resend", "Resend", f"Resend {event['id']}", event=event["id"])
        shown = tag("code", event["data"]["object"].get("id", ""), class_="cut")
        label = tag("span", event["type"], title=event["id"])
        cell = tag("div", owed, button, class_="buttons")
        rows.append([label, shown, moment(event["created"]), cell])
    return rows


def _faults_panel(account: Account, address: str) -> Markup | None:
    """What is switched on to go wrong, if anything is."""
    rows: list[list[Child]] = []
    for fault, options in faults.active(account.connection, account.id):
        told = ", ".join(f"{name} {value}" for name, value in options.items() if value is not None)
        rows.append([fault["kind"].replace("_", " "), str(fault["remaining"]), tag("span", told, class_="note cut")])
    if not rows:
        return None
    off = action(f"{address}/calm", "Switch all off", "Switch all faults off")
    shown = table(["Goes wrong", "Times left", "How"], rows)
    return tag("section", tag("header", tag("h2", "Faults"), off), shown, class_="panel", aria_label="Faults")


def _deliveries(account: Account, address: str) -> list[list[Child]]:
    found = account.connection.execute(
        "SELECT d.*, a.status AS answer, a.error FROM deliveries AS d"
        " LEFT JOIN attempts AS a ON a.delivery = d.seq AND a.number = d.attempts"
        " WHERE d.account = ? ORDER BY d.seq DESC LIMIT ?",
        (account.id, MAX_ROWS),
    ).fetchall()
    rows: list[list[Child]] = []
    for row in found:
        again: Child = None
        if row["state"] in RETRIED:
            name = f"Deliver {row['event_type']} number {row['seq']} again"
            again = action(f"{address}/retry", "Deliver now", name, delivery=str(row["seq"]))
        rows.append([*_delivery(row), moment(row["created"]), tag("div", again, class_="buttons")])
    return rows


def _delivery(row: Any) -> list[Child]:
    answer = row["error"] if row["answer"] is None else f"{row['answer']} {row['error'] or ''}"
    state = row["state"].partition(":")[0]
    return [row["event_type"], _badge(state), row["attempts"], tag("span", answer or "", class_="note cut")]
