"""What an operator sees of all organizations: whoever has something wrong comes first, with what is wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing_app.db import Database
from billing_app.domain.common.errors import NotFoundError
from billing_app.services.common import audit, cursors
from billing_app.services.common import organizations as orgs
from billing_app.services.common.context import Context
from billing_app.services.operators import organizations as operators
from billing_app.services.operators import read_customer
from billing_app.services.operators.views import AccountIssue
from billing_app.services.organizations import read
from billing_app.services.subscriptions import subscriptions
from billing_app.services.usage import reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.store.tables.meters import MeterRow
from billing_app.store.tables.reversals import PaymentDispute
from billing_app.store.tables.subscriptions import Subscription
from tests.support.builders import NOON, a_user, an_organization, the_catalogue

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def organizations(database: Database) -> None:
    """anna is well, bert owes credits, cora disputes, dora is past due, emil used more than there is."""
    the_catalogue(database)
    with database.writing() as session:
        ids = {name: an_organization(session, name).pk for name in ("anna", "bert", "cora", "dora", "emil")}
        session.add(
            MeterRow(organization_id=ids["bert"], metric="sms", valid_from=NOON, valid_until=NOON + DAY, debt=30)
        )
        for number, status in enumerate(("needs_response", "won")):
            session.add(
                PaymentDispute(
                    organization_id=ids["cora"], id=f"du_{number}", payment_id="pi_1", amount_cents=1_000,
                    currency="usd", status=status, created_at=NOON, changed_at=NOON,
                )
            )  # fmt: skip
        session.add(
            Subscription(
                organization_id=ids["dora"], id="sub_1", kind="plan", current=True, status="past_due",
                interval="month", plan="pro", price_cents=9_900, currency="usd", started_at=NOON, read_at=NOON,
                period_start=NOON, period_end=NOON + 30 * DAY, past_due_at=NOON - DAY,
            )
        )  # fmt: skip
    with database.writing() as session:
        dora = an(session, "dora")
        subscriptions.record_past_due(
            Context(session, dora, NOON), past_due=True, at=NOON - DAY, reason="card declined"
        )
        used = [ReportedEvent("emails", 251, None, NOON - DAY)]
        assert reporting.report(Context(session, an(session, "emil"), NOON), used).rejected == []


def an(session: Any, address: str) -> Any:
    return orgs.by_address(session, address)


def test_whoever_has_something_wrong_comes_first_with_what_is_wrong(database: Database) -> None:
    with database.reading() as session:
        found = operators.organizations(session, "", "", NOON).organizations
    told = {line.address: [each.kind for each in line.troubles] for line in found}
    assert list(told) == ["emil", "dora", "cora", "bert", "anna"]
    assert list(told.values()) == [
        [AccountIssue.BLOCKED], [AccountIssue.PAST_DUE], [AccountIssue.DISPUTED], [AccountIssue.IN_DEBT], [],
    ]  # fmt: skip
    emil, dora, cora, bert, _ = (line.troubles for line in found)
    assert (emil[0].metrics, bert[0].metrics) == (("Emails",), ("SMS",))
    assert dora[0].at == NOON + 6 * DAY
    assert (cora[0].amount_cents, cora[0].currency) == (1_000, "usd")


def test_pages_of_the_list_miss_nobody_and_repeat_nobody(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operators, "PAGE", 2)
    seen: list[str] = []
    cursor = ""
    with database.reading() as session:
        for _ in range(3):
            page = operators.organizations(session, "", cursor, NOON)
            seen += [line.address for line in page.organizations]
            cursor = page.next_cursor
    assert (seen, cursor) == (["emil", "dora", "cora", "bert", "anna"], "")


def test_a_cursor_that_is_none_of_ours_is_refused(database: Database) -> None:
    with database.reading() as session:
        for cursor in ("nonsense", cursors.encode("a", "b"), cursors.encode("x", "b", "c")):
            with pytest.raises(NotFoundError):
                operators.organizations(session, "", cursor, NOON)


def test_one_organizations_page_says_what_is_wrong_and_what_its_plan_rests_on(database: Database) -> None:
    with database.reading() as session:
        view = read_customer.customer(session, "dora", "", None, NOON, selling=True)
    assert [each.kind for each in view.troubles] == [AccountIssue.PAST_DUE]
    assert view.subscription is not None
    assert (view.subscription.status, view.subscription.price_cents) == ("past_due", 9_900)


def test_the_log_is_searched_by_organization_and_person(database: Database) -> None:
    with database.writing() as session:
        operator = a_user(session, "op@example.org", operator=True)
        for name in ("anna", "bert"):
            audit.record(session, an(session, name).pk, NOON, f"user:{operator.id}", "plan.changed", name)
    with database.reading() as session:

        def found(address: str = "", who: str = "", action: str = "") -> list[str]:
            page = read.audit_of(session, NOON, address, who, action=action)
            return sorted(entry.subject for entry in page.entries if entry.action == "plan.changed")

        assert found("anna") == ["anna"]
        assert found(who="op@example.org") == ["anna", "bert"]
        assert found("anna", "op@example.org", "plan") == ["anna"]
        assert found("anna", "nobody@example.org") == found("nowhere") == []
