"""`billing stripe`: what a person sees of pushing the catalogue and working on events."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from billing_app import wiring
from billing_app.cli import main
from billing_app.db import Database
from billing_app.settings import settings
from tests.support.shop import Shop, a_shop

COMPLETED = "checkout.session.completed"


@pytest.fixture
def shop(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop whose database and account the command finds in its settings."""
    made = a_shop(database)
    monkeypatch.setenv("BILLING_DATABASE_URL", database_url)
    monkeypatch.setenv("BILLING_STRIPE_API_SECRET", made.key)
    monkeypatch.setenv("BILLING_STRIPE_WEBHOOK_SECRET", "whsec_test")
    monkeypatch.setenv("BILLING_STRIPE_API_BASE", made.url)
    settings.cache_clear()
    wiring.database.cache_clear()
    yield made
    wiring.database().close()
    settings.cache_clear()
    wiring.database.cache_clear()


def run(*arguments: str) -> int:
    """The exit code of the command."""
    try:
        main(["stripe", *arguments])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_a_dry_run_says_what_a_push_would_do(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("push", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "+ pack:mau-10k: 10,000 MAU, $14.00\n" in said
    assert "+ plan:pro:month: Pro, $" in said
    assert said.splitlines()[-1].startswith("Would be: ")
    assert shop.stripe.prices.list().data == []


def test_a_push_tells_what_it_did_and_the_next_one_does_nothing(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("push") == 0
    assert " created." in capsys.readouterr().out
    shop.change_pack("mau-10k", price_cents=1600)
    assert run("push") == 0
    said = capsys.readouterr().out
    assert said.startswith("~ pack:mau-10k: 10,000 MAU, $16.00 (was $14.00)\n1 replaced by a new price, ")
    assert run("push") == 0
    assert capsys.readouterr().out.endswith(" already right.\n")


def test_a_push_into_another_account_is_refused(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("push") == 0
    assert run("push", "--stripe-api-secret", f"sk_test_{'0' * 32}") == 2
    assert "belongs to the Stripe account" in capsys.readouterr().err


def test_a_push_needs_a_key(shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("BILLING_STRIPE_API_SECRET", "")
    settings.cache_clear()
    assert run("push") == 2
    assert "set BILLING_STRIPE_API_SECRET" in capsys.readouterr().err


def test_an_event_that_never_came_is_fetched_and_handled(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    session_id = shop.buy("mau-10k")
    event = shop.event_id(COMPLETED, session_id)
    for _ in range(2):
        assert run("replay", event) == 0
        assert capsys.readouterr().out == f"{event} ({COMPLETED}) was handled.\n"
    assert len(shop.grants()) == 1
    assert run("replay", "evt_unheard_of") == 2
    assert "Stripe has no such event" in capsys.readouterr().err


def test_an_event_that_fails_says_why(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    session_id = shop.buy("mau-10k")
    path = f"/v1/checkout/sessions/{session_id}"
    shop.control("POST", "/faults", kind="api_error", count=1, status=400, path=path)
    assert run("replay", shop.event_id(COMPLETED, session_id)) == 2
    assert "failed: Stripe refused this" in capsys.readouterr().err


def test_the_sweep_tells_what_it_did(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.receive(COMPLETED, shop.buy("mau-10k"))
    assert run("sweep") == 0
    assert capsys.readouterr().out == "Events handled: 1, ignored: 0, failed: 0.\n"
    assert len(shop.grants()) == 1
