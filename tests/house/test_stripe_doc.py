"""docs/stripe.md says what the code does: events, permissions, codes, commands."""

from __future__ import annotations

import re

import stripe

from billing_app.locations import ROOT
from billing_app.services.stripe.event_handlers import HANDLERS
from tests.fake_stripe.calls import operations

DOCUMENT = (ROOT / "docs" / "stripe.md").read_text(encoding="utf-8")

PERMISSIONS = {
    "Products": ("products",),
    "Prices": ("prices",),
    "Customers": ("customers",),
    "Checkout Sessions": ("checkout",),
    "Payment Intents": ("payment_intents",),
    "Payment Methods": ("payment_methods",),
    "Subscriptions": ("subscriptions", "subscription_schedules"),
    "Invoices": ("invoices", "invoice_items", "invoice_payments"),
    "Charges and Refunds": ("charges", "refunds"),
    "Disputes": ("disputes",),
    "Customer portal": ("billing_portal",),
    "Events": ("events",),
}
"""What Stripe's dashboard calls the permission for which of the SDK's services."""

WITHOUT = {"accounts", "test_helpers", "subscription_items", "setup_intents"}
"""Asked where it may be refused (the account), or by the demo only."""

READS = {"retrieve", "list", "retrieve_current"}


def section(title: str) -> str:
    """The text under a heading."""
    return DOCUMENT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_endpoints_events_are_those_that_are_handled() -> None:
    listed = section("The webhook endpoint").partition("```\n")[2].partition("```")[0].split()
    assert listed == sorted(HANDLERS)
    assert f"`{stripe.api_version}`" in section("The webhook endpoint")


def test_what_each_event_does_is_said_of_each() -> None:
    rows = [line for line in section("What each event does").splitlines() if line.startswith("| `")]
    named = re.findall(r"`([a-z_.]+)`", " ".join(row.split("|")[1] for row in rows))
    assert sorted(named) == sorted(HANDLERS)


def test_a_restricted_key_needs_no_more_and_no_less() -> None:
    table = dict(re.findall(r"\n   \| ([A-Z][\w ]+) \| (Read|Write) \|", DOCUMENT))
    needed: dict[str, str] = {}
    for operation in operations():
        service, _, verb = operation.partition(".")
        if service not in WITHOUT:
            name = next(name for name, services in PERMISSIONS.items() if service in services)
            reads = verb.rpartition(".")[2] in READS
            needed[name] = "Read" if reads and needed.get(name) != "Write" else "Write"
    assert table == needed


def test_every_code_is_one_that_the_program_gives() -> None:
    rows = [line for line in section("When something does not work").splitlines() if line.startswith("| `")]
    codes = re.findall(r"`([a-z_]+)`", " ".join(row.split("|")[1] for row in rows))
    source = " ".join(file.read_text(encoding="utf-8") for file in (ROOT / "billing_app").rglob("*.py"))
    # translated(missing="checkout") makes checkout_not_found.
    given = {f"{name}_not_found" for name in re.findall(r'missing="(\w+)"', source)} | set(
        re.findall(r'"(\w+)"', source)
    )
    unknown = [code for code in codes if code not in given]
    assert len(codes) > 12
    assert unknown == []
    connection = (ROOT / "billing_app" / "gateways" / "stripe" / "connection.py").read_text(encoding="utf-8")
    assert set(re.findall(r'code="(payments_\w+)"', connection)) <= set(codes)
