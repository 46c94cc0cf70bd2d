"""What is read is worked out once until it changes: an answer after a write always holds the write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import Session

from billing_app.db import READING, Database
from billing_app.domain.common.access import Scope
from billing_app.domain.credits.facts import NEVER
from billing_app.services.common import kept, organizations
from billing_app.services.common.context import Context
from billing_app.services.organizations import profiles
from billing_app.services.usage import consumption, recounts, reporting
from billing_app.services.usage.reporting import ReportedEvent
from billing_app.store.organizations import tree
from billing_app.store.tables.organizations import Organization
from tests.api.conftest import Api
from tests.services.credits.test_reading_cost import heard
from tests.services.notifications.telling import Story, at
from tests.support.builders import a_key, an_organization

pytestmark = pytest.mark.both_databases

ROUTES = (
    "balances", "usage/days?metric=api", "usage/days?metric=disk", "usage/days?metric=mau", "history", "ledger",
    "ledger?metric=api&limit=2", "grants", "explain", "explain?metric=api", "forecast", "tokens",
)  # fmt: skip


@pytest.fixture
def story(api: Api) -> Story:
    """Two months of use, credits, a sub-organization, and a key of each."""
    told = Story(api.database)
    told.grant("2024-01-02", "first", 50)
    told.grant("2024-01-03", "ends", 7, expires_at=at("2024-02-20 15:00"))
    for day in ("2024-01-05", "2024-01-20", "2024-02-03", "2024-02-10"):
        told.use(day, "api", 40)
        told.use(day, "disk", 30)
        told.use(day, "mau", None, f"device {day}")
        told.use(day, "sms", 1)
    with told.writing() as (session, organization):
        begun = at("2024-02-10")
        child = organizations.create(session, begun, address="below", anchor=organization.anchor)
        tree.add_parent(session, child, organization.pk, begun, begun)
    api.now = at("2024-02-20 12:00")
    return told


@pytest.fixture
def keys(api: Api, story: Story) -> dict[str, str]:
    """The key of each, by address."""
    with api.database.writing() as session:
        held = {address: organizations.by_address(session, address) for address in ("acme", "below")}
        return {address: a_key(session, each, *Scope)[0] for address, each in held.items()}


def answers(api: Api, keys: dict[str, str]) -> dict[str, str]:
    """Every answer, of the organization and of what lies below it."""
    found = {}
    for address, secret in keys.items():
        with api.program(secret) as client:
            for route in ROUTES:
                answer = client.get(f"/organizations/{address}/{route}", headers={"X-Request-ID": "same"})
                found[f"{address} {route}"] = answer.text
    return found


def steps(api: Api, story: Story) -> dict[str, Callable[[], object]]:
    """All kinds of writes, and moments at which something changes by itself."""

    def wrote(work: Callable[[Context], object], address: str = "acme") -> Callable[[], None]:
        def write() -> None:
            with api.database.writing() as session:
                work(Context(session, organizations.by_address(session, address), api.now))

        return write

    def reported(metric: str, quantity: int, days: int = 0, address: str = "acme") -> Callable[[], None]:
        def report(told: Context) -> None:
            events = [ReportedEvent(metric, quantity, None, told.now - timedelta(days=days))]
            assert reporting.report(told, events).rejected == []

        return wrote(report, address)

    def passed(moment: str) -> Callable[[], None]:
        def passes() -> None:
            api.now = at(moment)

        return passes

    return {
        "a consume": wrote(lambda told: consumption.consume(told, "api", 3, key="k")),
        "a report": reported("api", 5),
        "a report of a level": reported("disk", 45),
        "a late report": reported("api", 30, days=30),
        "a recount": lambda: recounts.run(api.database.writing, lambda: api.now, "test", "demand"),
        "a reservation": wrote(lambda told: consumption.reserve(told, "api", 2, timeout_s=600)),
        "its end": passed("2024-02-20 12:10"),
        "a grant": lambda: story.grant("2024-02-20 12:11", "second", 100),
        "a void": lambda: story.void("2024-02-20 12:12", "first"),
        "another plan": lambda: story.plan("2024-02-20 12:13", "Large"),
        "a part's use": reported("api", 9, address="below"),
        "a part's name": wrote(lambda told: profiles.change(told, {"name": "Deeper"}), "below"),
        "an end of credits": passed("2024-02-20 15:00"),
        "midnight": passed("2024-02-21 00:00"),
        "a turn of the period": passed("2024-03-01 00:00"),
    }


def test_an_answer_always_holds_the_write(
    api: Api, story: Story, keys: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = answers(api, keys)
    for name, step in steps(api, story).items():
        step()
        found = answers(api, keys)
        with monkeypatch.context() as patch:
            patch.setattr(kept, "READING", "nothing is kept")
            assert found == answers(api, keys), name
        assert found != before or name == "midnight", name
        before = found


@pytest.mark.parametrize("address", ["acme", "below"])
def test_what_has_not_changed_is_not_read_again(api: Api, keys: dict[str, str], address: str) -> None:
    with api.program(keys[address]) as client:
        for route in (each for each in ROUTES if each not in ("forecast", "tokens")):  # no packs, no tokens here
            asked = []
            for _ in range(3):  # the first of all notes that the key was used
                with heard(api.database) as statements:
                    client.get(f"/organizations/{address}/{route}")
                asked.append([each for each in statements if not each.startswith("BEGIN")])
            # who asks, what state it is in, for a part where it lies in the tree; for lists of rows these
            assert len(asked[-1]) <= (3 if address == "acme" else 7), (route, asked[-1])


def kept_of(database: Database, now: str, asked: object, made: list[str], until: str = "", weight: int = 1) -> str:
    """What is kept of acme under `asked` at a moment; the first to ask at `now` makes it."""

    def make() -> kept.Fresh[str]:
        made.append(now)
        return kept.Fresh(f"of {now}", at(until) if until else NEVER, weight)

    with database.reading() as session:
        return kept.get(session, (organizations.by_address(session, "acme"),), at(now), (asked,), make)


def test_what_changes_by_time_stands_until_then(database: Database) -> None:
    made: list[str] = []
    with database.writing() as session:
        an_organization(session)
    for now in ("2026-03-10 12:00:00", "2026-03-10 12:00:09", "2026-03-10 12:00:10", "2026-03-10 12:00:09"):
        kept_of(database, now, "a", made, "2026-03-10 12:00:10")
    assert made == ["2026-03-10 12:00:00", "2026-03-10 12:00:10", "2026-03-10 12:00:09"]
    made.clear()
    for now in ("2026-03-10 13:00:00", "2026-03-10 13:00:29", "2026-03-10 13:00:30"):
        kept_of(database, now, "b", made)
    assert made == ["2026-03-10 13:00:00", "2026-03-10 13:00:30"], "nothing stands for longer than KEPT_FOR"


def test_what_is_made_of_others_stands_as_long_as_they_do(database: Database) -> None:
    made: list[str] = []
    with database.writing() as session:
        an_organization(session)

    def both(now: str) -> None:
        def make() -> kept.Fresh[str]:
            made.append(now)
            kept_of(database, now, "unrelated", [], "2026-03-10 12:00:01")
            inner = kept.get(session, (acme,), at(now), "inner", lambda: kept.Fresh("", at("2026-03-10 12:00:05")))
            return kept.Fresh(inner)

        with database.reading() as session:
            acme = organizations.by_address(session, "acme")
            kept.get(session, (acme,), at(now), "outer", make)

    for now in ("2026-03-10 12:00:00", "2026-03-10 12:00:04", "2026-03-10 12:00:05"):
        both(now)
    assert made == ["2026-03-10 12:00:00", "2026-03-10 12:00:05"]


def test_what_was_read_before_a_change_is_not_kept_as_what_stands_after_it(database: Database) -> None:
    """All that a transaction reads is of one moment: what it had read before its state is of that state."""
    now = at("2026-03-10")

    def name_of(session: Session, organization: Organization) -> str:
        return kept.get(session, (organization,), now, "name", lambda: kept.Fresh(organization.name))

    with database.writing() as session:
        before = an_organization(session).name
    with database.reading() as session:
        acme = organizations.by_address(session, "acme")
        with database.writing() as other:
            profiles.change(Context(other, organizations.by_address(other, "acme"), now), {"name": "Another"})
        assert name_of(session, acme) == before
    with database.reading() as session:
        assert name_of(session, organizations.by_address(session, "acme")) == "Another"


def test_what_may_yet_be_undone_is_not_kept(database: Database) -> None:
    with database.writing() as session:
        acme = an_organization(session)
        assert READING not in session.info
        for number in range(2):
            assert kept.get(session, (acme,), at("2026-03-10"), "a", lambda n=number: kept.Fresh(n)) == number


def test_what_is_kept_has_an_end(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_VALUES", 3)
    monkeypatch.setattr(kept, "MOST_WEIGHT", 10)
    made: list[str] = []
    now = "2026-03-10 12:00"
    with database.writing() as session:
        an_organization(session)
    for asked in ("a", "b", "c", "a", "d", "a", "b"):  # d takes the place of b, which was used least lately
        kept_of(database, now, asked, made)
    assert len(made) == 5
    made.clear()
    kept_of(database, now, "heavy", made, weight=11)
    kept_of(database, now, "heavy", made, weight=11)
    assert len(made) == 2, "what is too heavy is not kept"
