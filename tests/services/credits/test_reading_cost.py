"""Pages read roll-ups and only read: what they ask of the database does not grow with events."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import event
from sqlmodel import Session

from billing_app.db import Database
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import explaining, read_ledger
from billing_app.services.credits import read as reading_credits
from billing_app.services.credits import statements as statements_of
from billing_app.services.credits.views_ledger import LedgerFilters
from billing_app.services.credits.views_shared import ForecastKind
from billing_app.services.overview import overview, read_usage
from billing_app.services.purchases import buying
from billing_app.services.usage import consumption, reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.store.tables.organizations import Organization
from tests.services.notifications.telling import METRICS, Story, at
from tests.support.builders import NOON, an_organization, the_catalogue

NOW = at("2024-03-03 12:00")

HOURS = [
    at(f"{day} {hour}:00") for day in ("2024-01-05", "2024-01-31", "2024-02-10", "2024-03-01") for hour in ("08", "21")
]

Page = Callable[[Session, Organization], Any]

PAGES: dict[str, Page] = {
    "overview": lambda session, organization: overview.overview(Context(session, organization, NOW)),
    "ledger": lambda session, organization: read_ledger.ledger(
        Context(session, organization, NOW), LedgerFilters(), ""
    ),
    "trace": lambda session, organization: read_ledger.trace(Context(session, organization, NOW), 1),
}
for _metric in METRICS:
    PAGES |= {
        f"usage of {_metric}": lambda session, organization, metric=_metric: read_usage.usage(
            Context(session, organization, NOW), metric
        ),
        f"credits of {_metric}": lambda session, organization, metric=_metric: reading_credits.credits(
            Context(session, organization, NOW), metric
        ),
        f"explanation of {_metric}": lambda session, organization, metric=_metric: explaining.explain(
            Context(session, organization, NOW), metric, NOW
        ),
    }


@contextmanager
def heard(database: Database) -> Generator[list[str]]:
    """Every statement that the database is asked meanwhile."""
    statements: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    engines = database.engines
    for engine in engines:
        event.listen(engine, "before_cursor_execute", hear)
    yield statements
    for engine in engines:
        event.remove(engine, "before_cursor_execute", hear)


def an_organization_that_uses(database: Database, address: str, per_hour: int) -> Story:
    """Use of everything in a few hours of three months, so many times an hour; no two are the same."""
    story = Story(database, address=address)
    for metric in METRICS:
        story.grant("2024-01-02", f"{metric} pack", 500, metric)
    for begins in HOURS:
        moments = [begins.replace(minute=number) for number in range(per_hour)]
        events = [
            ReportedEvent(metric, None if way == "unique" else 60 // per_hour, subject_of(way, moment), moment)
            for metric, way in METRICS.items()
            for moment in moments
        ]
        with story.writing() as (session, organization):
            assert reporting.report(Context(session, organization, begins.replace(minute=59)), events).rejected == []
    return story


def subject_of(way: str, moment: datetime) -> str | None:
    """A device of its own for each moment."""
    return str(moment) if way == "unique" else None


def test_pages_ask_the_same_of_few_events_and_of_many_and_write_nothing(database: Database) -> None:
    quiet = an_organization_that_uses(database, "quiet", per_hour=1)
    busy = an_organization_that_uses(database, "busy", per_hour=60)
    for name, page in PAGES.items():
        few, many = asked(quiet, page), asked(busy, page)
        assert len(many) <= len(few), name
        for statement in many:
            assert statement.startswith(("SELECT", "BEGIN")), statement
            if "FROM usage_events" in statement:
                assert "occurred_at >=" in statement, (name, statement)
                assert "occurred_at <" in statement, (name, statement)


def asked(story: Story, page: Page) -> list[str]:
    """What reading a page asks the database."""
    with heard(story.database) as statements, story.reading() as (session, organization):
        page(session, organization)
    return statements


def test_a_basket_s_next_look_reads_no_use_again_until_something_changed(database: Database) -> None:
    the_catalogue(database)
    with database.writing() as session:
        reporting.report(Context(session, an_organization(session), NOON), [ReportedEvent("bandwidth", 10**9)])

    def looked(now: datetime) -> tuple[bool, ForecastKind]:
        """Whether roll-ups were read, and what the page says of the days to come."""
        with heard(database) as statements, database.reading() as session:
            shown = buying.buy(Context(session, organizations.by_address(session, "acme"), now))
        (group,) = (each for each in shown.metrics if each.metric.id == "bandwidth")
        return any("usage_hours" in each for each in statements), group.forecast.kind

    read, first = looked(NOON + timedelta(minutes=5))
    assert read
    assert looked(NOON + timedelta(minutes=5, seconds=5)) == (False, first)
    assert looked(NOON + timedelta(minutes=6))[0]
    assert looked(NOON + timedelta(minutes=5))[0], "a moment before the one that is remembered"
    with database.writing() as session:
        consumption.consume(Context(session, organizations.by_address(session, "acme"), NOON), "bandwidth", 19 * 10**9)
    assert first is not ForecastKind.USED_UP
    assert looked(NOON + timedelta(minutes=5, seconds=1)) == (True, ForecastKind.USED_UP)


def test_balances_are_computed_once_until_something_changed(database: Database) -> None:
    the_catalogue(database)

    def reported(quantity: int, at: datetime) -> None:
        with database.writing() as session:
            organization = organizations.by_address(session, "acme")
            reporting.report(Context(session, organization, at), [ReportedEvent("bandwidth", quantity, at=at)])

    def looked(now: datetime, as_of: datetime | None = None) -> tuple[bool, int]:
        """Whether roll-ups were read, and how much is used."""
        with heard(database) as statements, database.reading() as session:
            found = statements_of.balances(
                Context(session, organizations.by_address(session, "acme"), now), as_of=as_of
            )
        used = next(each.used for each in found if each.metric == "bandwidth")
        return any("usage_hours" in each for each in statements), used

    with database.writing() as session:
        an_organization(session)
    reported(100, NOON)
    later = NOON + timedelta(minutes=5)
    assert looked(later) == (True, 100)
    assert looked(later + timedelta(seconds=5)) == (False, 100)
    reported(11, later)
    assert looked(later + timedelta(seconds=6)) == (True, 111)
    assert looked(later + timedelta(seconds=7)) == (False, 111)
    assert looked(later + timedelta(seconds=8), as_of=NOON)[0]
    assert looked(later + timedelta(minutes=5)) == (True, 111)
