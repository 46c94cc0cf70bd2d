"""An accountant who reads nothing but Stripe's own objects, and works out what every customer must have.

Nothing of the product is used here: the rules are those of docs/credits.md, written down a second time and as slowly
as they are said there. What the product keeps is compared with it by `books`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

COUNTED = ("succeeded", "pending", "requires_action")
"""Refunds whose money is with the payer, or on its way."""

OPEN = ("needs_response", "under_review")
"""Disputes that hold credits; inquiries (`warning_...`) hold nothing."""


@dataclass
class Bought:
    """One paid line: what it must be as a grant. Cents are whole, of the payment's currency."""

    key: str
    metric: str
    quantity: int
    paid_cents: int
    payment: str
    gone_cents: int = 0
    disputed: bool = False

    @property
    def taken(self) -> int:
        """Credits that are taken back for what was refunded or lost."""
        return self.quantity * self.gone_cents // self.paid_cents if self.paid_cents else 0


@dataclass
class Customer:
    """What Stripe knows of one customer."""

    bought: list[Bought] = field(default_factory=list)
    payments: set[str] = field(default_factory=set)
    charged_cents: int = 0
    invoiced_cents: int = 0
    refunds: dict[str, tuple[int, str]] = field(default_factory=dict)
    disputes: dict[str, str] = field(default_factory=dict)
    subscriptions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def plan(self) -> str:
        """The plan that a subscription gives; empty for none."""
        for one in self.subscriptions:
            plan = one["items"]["data"][0]["price"]["metadata"].get("plan")
            if plan and one["status"] in ("active", "trialing", "past_due"):
                return str(plan)
        return ""

    def total(self, metric: str, what: str) -> int:
        """The sum of `quantity`, `taken` or `paid_cents` over a metric."""
        return sum(getattr(one, what) for one in self.bought if one.metric == metric)

    def held(self, metric: str) -> int:
        """What is on hold of a metric of which nothing was used."""
        return sum(one.quantity - one.taken for one in self.bought if one.metric == metric and one.disputed)


def read(v1: Any, customer_id: str, named: Mapping[str, str]) -> Customer:
    """Reads everything of one customer. `v1` is the SDK's client, `named` the lines' keys by what refunds call them."""
    found = Customer()
    lines: dict[str, list[tuple[str, Bought | None, int]]] = defaultdict(list)
    sessions = {"customer": customer_id, "limit": 100, "expand": ["data.line_items.data.price"]}
    for session in every(v1.checkout.sessions.list(sessions)):
        if session["mode"] == "payment" and session["payment_status"] in ("paid", "no_payment_required"):
            _session(found, lines, session)
    for invoice in every(v1.invoices.list({"customer": customer_id, "limit": 100, "expand": ["data.payments"]})):
        if invoice["status"] == "paid":
            _invoice(v1, found, lines, invoice)
    for charge in every(v1.charges.list({"customer": customer_id, "limit": 100})):
        if charge["status"] == "succeeded":
            found.charged_cents += charge["amount"]
            found.payments.add(charge["payment_intent"])
            _gone(v1, found, charge, lines[charge["payment_intent"]], named)
    found.subscriptions = every(v1.subscriptions.list({"customer": customer_id, "status": "all", "limit": 100}))
    return found


def every(listed: Any) -> list[dict[str, Any]]:
    """All pages, as plain dictionaries."""
    return [each.to_dict() for each in listed.auto_paging_iter()]


Lines = dict[str, list[tuple[str, "Bought | None", int]]]


def _session(found: Customer, lines: Lines, session: dict[str, Any]) -> None:
    """Lines of a payment: (key, what it grants, cents)."""
    found.invoiced_cents += session["amount_total"]
    for line in session["line_items"]["data"]:
        sold = line["price"]["metadata"]
        _line(found, lines, f"checkout:{session['id']}:{line['id']}", sold, line["quantity"], line["amount_total"],
              session["payment_intent"] or "")  # fmt: skip


def _invoice(v1: Any, found: Customer, lines: Lines, invoice: dict[str, Any]) -> None:
    found.invoiced_cents += invoice["amount_paid"]
    parent = (invoice["parent"] or {}).get("subscription_details") or {}
    ours = (parent.get("metadata") or {}).get("kind") == "packs" or invoice["metadata"].get("kind") == "top_up"
    paid = [each for each in invoice["payments"]["data"] if each["status"] == "paid"]
    payment = paid[0]["payment"]["payment_intent"] if paid else ""
    for line in every(v1.invoices.line_items.list(invoice["id"], {"limit": 100})):
        details = line["parent"]["subscription_item_details"] or line["parent"]["invoice_item_details"] or {}
        cents = line["amount"] - sum(each["amount"] for each in line["discount_amounts"])
        price = v1.prices.retrieve(line["pricing"]["price_details"]["price"]).to_dict()
        grants = ours and not details["proration"] and line["amount"] > 0
        sold = price["metadata"] if grants else {}
        _line(found, lines, f"invoice:{invoice['id']}:{line['id']}", sold, line["quantity"], cents, payment)


def _line(found: Customer, lines: Lines, key: str, sold: dict[str, str], count: int, cents: int, payment: str) -> None:
    bought = None
    if sold.get("pack"):
        bought = Bought(key, sold["metric"], int(sold["quantity"]) * count, cents, payment)
        found.bought.append(bought)
    lines[payment].append((key, bought, cents))


def _gone(
    v1: Any,
    found: Customer,
    charge: dict[str, Any],
    lines: list[tuple[str, Bought | None, int]],
    named: Mapping[str, str],
) -> None:
    """What of a payment was refunded, lost or is held, line by line."""
    paid = [cents for _, _, cents in lines]
    rooms = list(paid)
    refunds = every(v1.refunds.list({"payment_intent": charge["payment_intent"], "limit": 100}))
    disputes = every(v1.disputes.list({"payment_intent": charge["payment_intent"], "limit": 100}))
    found.refunds |= {each["id"]: (each["amount"], each["status"]) for each in refunds}
    found.disputes |= {each["id"]: each["status"] for each in disputes}
    counted = [each for each in refunds if each["status"] in COUNTED]
    whole = 0
    for refund in counted:
        line = named.get(refund["metadata"].get("grant", ""))
        if line is None:
            whole += refund["amount"]
        else:  # it was made for one grant, so it is of its line
            rooms[[key for key, _, _ in lines].index(line)] -= refund["amount"]
    rooms = _less(rooms, split(whole, rooms, paid))
    for dispute in sorted(disputes, key=lambda each: (each["created"], each["id"])):
        if dispute["status"] == "lost":
            rooms = _less(rooms, split(dispute["amount"], rooms, paid))
    for (_, bought, cents), room in zip(lines, rooms, strict=True):
        if bought is not None:
            bought.gone_cents = cents - room
    for dispute in disputes:
        if dispute["status"] in OPEN:
            for (_, bought, _), share in zip(lines, split(dispute["amount"], rooms, paid), strict=True):
                if bought is not None and share:
                    bought.disputed = True


def _less(rooms: list[int], shares: Iterable[int]) -> list[int]:
    return [room - share for room, share in zip(rooms, shares, strict=True)]


def split(cents: int, rooms: list[int], paid: list[int]) -> list[int]:
    """`cents` in proportion to what lines cost: whole cents by largest remainder, ties in line order, none too much.

    A line without room for its part is full, and the others share what it cannot take.
    """
    cents = min(cents, sum(rooms))
    shares = [0] * len(rooms)
    sharing = [place for place, room in enumerate(rooms) if room and paid[place]]
    while cents and sharing:
        weight = sum(paid[place] for place in sharing)
        exact = {place: Fraction(cents * paid[place], weight) for place in sharing}
        part = {place: int(exact[place]) for place in sharing}
        by_remainder = sorted(sharing, key=lambda place: (-(exact[place] - part[place]), place))
        for place in by_remainder[: cents - sum(part.values())]:
            part[place] += 1
        full = [place for place in sharing if part[place] >= rooms[place] - shares[place]]
        for place in full or sharing:
            given = min(part[place], rooms[place] - shares[place])
            shares[place] += given
            cents -= given
        sharing = [place for place in sharing if place not in full] if full else []
    return shares
