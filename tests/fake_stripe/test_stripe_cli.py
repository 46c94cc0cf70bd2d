"""Stripe's own command line tool against the fake Stripe: a client that we have not written and cannot bend."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from billing_app.locations import ROOT
from billing_app.services.stripe.event_handlers import HANDLERS
from tests.fake_stripe.account import TestAccount
from tests.fake_stripe.listener import Listener
from tests.fake_stripe.process import FakeStripeServer
from tests.fake_stripe.stripe_cli import NotToBeHad, StripeCli, closed_door, program

NEWEST_RELEASE = "api.github.com:443"
"""Where `trigger` asks whether it is the newest, which no switch turns off; without an answer it goes on."""

TRIGGERED = (
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "charge.succeeded",
    "charge.refunded",
    "charge.refund.updated",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "checkout.session.expired",
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.trial_will_end",
    "invoice.created",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.marked_uncollectible",
    "invoice.updated",
    "invoice.voided",
    "payment_method.attached",
    "payment_method.detached",
    "price.created",
    "price.updated",
    "product.created",
    "product.updated",
    "product.deleted",
    "setup_intent.succeeded",
)

NOT_BY_TRIGGER = {
    # The tool pays these through the addresses behind Stripe's own hosted page, which are no part of its API.
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    # It has no trigger for these.
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "customer.subscription.resumed",
    "payment_method.updated",
    "price.deleted",
    "refund.created",
    "refund.failed",
    "refund.updated",
}


@pytest.fixture(scope="session")
def executable() -> Path:
    """The program; where the npm registry has none for this machine, or cannot be reached, there is nothing to try."""
    try:
        return program()
    except NotToBeHad as reason:
        pytest.skip(str(reason))


@pytest.fixture
def cli(executable: Path, server: FakeStripeServer, key: str, tmp_path: Path) -> Iterator[StripeCli]:
    """The tool, on the test's own account; it never gets out of this machine."""
    with closed_door() as (door, asked):
        yield StripeCli(executable, tmp_path, server.url, key, door)
    assert set(asked) <= {NEWEST_RELEASE}


@pytest.mark.parametrize("kind", TRIGGERED)
def test_trigger(cli: StripeCli, account: TestAccount, listener: Listener, kind: str) -> None:
    assert "Trigger succeeded" in cli.run("trigger", kind)
    (event, *_) = listener.wait_for(kind)
    assert event.id in {each.id for each in account.v1.events.list({"type": kind}).data}


def test_every_event_that_the_console_handles_is_tried_or_says_why_not() -> None:
    assert set(HANDLERS) <= {*TRIGGERED, *NOT_BY_TRIGGER}
    assert not NOT_BY_TRIGGER & set(TRIGGERED)


def test_lists(cli: StripeCli, account: TestAccount) -> None:
    made = [account.customer(name=name) for name in ("Ada", "Grace")]
    customers = json.loads(cli.run("customers", "list"))
    assert [each["id"] for each in customers["data"]] == [made[1].id, made[0].id]
    events = json.loads(cli.run("events", "list", "--limit", "1"))
    assert (events["data"][0]["type"], events["has_more"]) == ("customer.created", True)
    assert events["data"][0]["data"]["object"]["id"] == made[1].id


def test_what_it_makes_and_reads(cli: StripeCli, account: TestAccount) -> None:
    made = json.loads(cli.run("products", "create", "--name", "By hand", "-d", "metadata[a]=b"))
    assert account.v1.products.retrieve(made["id"]).metadata["a"] == "b"
    assert json.loads(cli.run("get", f"/v1/products/{made['id']}"))["name"] == "By hand"


def commands_of_the_docs() -> list[str]:
    """What docs/stripe.md tells people to type, on lines of their own and inside of sentences."""
    text = (ROOT / "docs" / "stripe.md").read_text()
    return sorted(
        {found.strip() for found in re.findall(r"(?:^ *|`)(stripe [a-z_]+[^`\n]*)(?:`|$)", text, re.MULTILINE)}
    )


@pytest.mark.parametrize("command", commands_of_the_docs())
def test_it_understands_what_the_docs_tell_people_to_type(cli: StripeCli, command: str) -> None:
    _, name, *arguments = shlex.split(command)
    if name in ("login", "trigger") or command.endswith("create"):
        arguments = ["--help"]  # these want a browser, or more of their caller
    done = cli.attempt(name, *arguments)
    said = done.stdout + done.stderr
    if name == "listen":  # it listens to a server of Stripe's own, which the fake Stripe has not
        assert "authenticating with Stripe" in said
        assert "must specify" not in said
    else:
        assert done.returncode == 0, said


def test_the_docs_tell_to_listen() -> None:
    assert any(command.startswith("stripe listen ") for command in commands_of_the_docs())
