"""Notifications, packs and top-ups on the command line, read as a program reads them: with --json."""

from __future__ import annotations

from pathlib import Path

import pytest

from billing_app.db import Database
from billing_app.domain.notifications.kinds import KINDS
from billing_app.jobs import notifications
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.purchases import top_ups
from billing_app.services.purchases.top_ups import Wanted
from billing_app.settings import Settings
from tests.cli.test_operating import REFUSED, Billing, billing, database_of_the_command, told
from tests.support.builders import NOON
from tests.support.webhook_receiver import running_receiver

__all__ = ["billing", "database_of_the_command"]


@pytest.fixture(autouse=True)
def webhooks_to_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(
        "billing_app.cli.notifications.settings",
        lambda: Settings(_env_file=None, webhook_networks="127.0.0.0/8"),
    )


def test_a_webhook_from_its_making_to_its_end(billing: Billing, database: Database) -> None:
    with running_receiver() as receiver:
        made = told(billing, "notification", "add-webhook", "acme", receiver.url, "--description", "CRM")
        assert made["secret"].startswith("whsec_")
        rows = told(billing, "notification", "list", "acme")["items"]
        (hook,) = [row for row in rows if row["way"] == "webhook"]
        assert (hook["id"], hook["state"], len(hook["kinds"])) == (made["id"], "on", len(KINDS))
        assert {row["told"] for row in rows if row["way"] == "mail"} == {"admin", "billing", "member"}

        sent = told(billing, "notification", "test", "acme", made["id"])
        serving = Settings(_env_file=None, webhook_networks="127.0.0.0/8")
        receiver.status = 503
        assert notifications.run(database, serving).failed == 1
        (waiting,) = told(billing, "notification", "deliveries", "acme", "--state", "waiting")["items"]
        assert (waiting["id"], waiting["attempts"], waiting["error"]) == (sent["delivery"], 1, "It answered 503.")
        receiver.status = 204
        assert told(billing, "notification", "resend", "acme", sent["delivery"])["state"] == "waiting"
        assert notifications.run(database, serving).delivered == 1
        assert receiver.received[-1].verified(made["secret"])["type"] == "test"
        assert told(billing, "notification", "enable", "acme", made["id"])["state"] == "on"
        told(billing, "notification", "delete-webhook", "acme", made["id"])
        assert [row["way"] for row in told(billing, "notification", "list", "acme")["items"]] == ["mail"] * 3


def test_what_is_no_webhook_is_a_sentence(billing: Billing) -> None:
    for arguments in (("test", "acme", "nonsense"), ("add-webhook", "acme", "ftp://example.com")):
        code, out, err = billing("notification", *arguments)
        assert (code, out) == (REFUSED, "")
        assert err.strip().endswith(".")


def test_packs_and_top_ups(billing: Billing, database: Database) -> None:
    sold = told(billing, "pack", "list", "--metric", "sms")["items"]
    assert {pack["metric"] for pack in sold} == {"sms"}
    assert told(billing, "pack", "renewing", "acme") == {"items": []}
    assert {row["state"] for row in told(billing, "top-up", "list", "acme")["items"]} == {"off"}
    pack = next(pack for pack in sold if pack["interval"] == "once")
    wanted = Wanted(True, 10, pack["id"], 1, pack["price_cents"] * 5, consent=True)
    with database.writing() as session:
        top_ups.put(Context(session, organizations.by_address(session, "acme"), NOON, "ada@example.org"), "sms", wanted)
    row = next(row for row in told(billing, "top-up", "list", "acme")["items"] if row["metric"] == "sms")
    assert (row["state"] != "off", row["threshold"], row["pack"]) == (True, 10, pack["id"])
    assert told(billing, "top-up", "stop", "acme", "sms")["state"] == "off"
    assert billing("top-up", "stop", "acme", "mau")[0] == REFUSED
