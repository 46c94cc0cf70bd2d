"""Tells the demo's story through the services, the clock standing at each of its moments.

Nothing is written past the services: what the demo shows is what the product does. Each step is a transaction.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from zlib import crc32

from sqlmodel import Session

from billing_app.db import Database
from billing_app.demo.calendar import Calendar
from billing_app.demo.deciding import decide
from billing_app.demo.facts import (
    Buy,
    Decide,
    Dispute,
    Fact,
    Found,
    Give,
    HoldPlan,
    Invite,
    Refund,
    Report,
    Story,
    Void,
)
from billing_app.demo.people import ACCOUNTS
from billing_app.demo.story import AGGREGATIONS, stories
from billing_app.domain.catalogue import Catalog
from billing_app.domain.catalogue.quantities import format_pack
from billing_app.domain.common.access import DEFAULT_SCOPES
from billing_app.domain.credits.facts import Aggregation
from billing_app.domain.organizations.limits import Limit
from billing_app.services.access import api_keys, members, passwords, users
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.common.organizations import Organization
from billing_app.services.credits import grants
from billing_app.services.limits import limits
from billing_app.services.organizations import children
from billing_app.services.usage import recounts, reporting
from billing_app.services.usage.reporting import MAX_BATCH, ReportedEvent

LAST_RECOUNTS = 3
"""Scheduled recounts that leave a run's row. Before them each ledger is brought up to date when a period turns and
with each grant: the figures are the same (law of schedule invariance), and a start need not wait for 1 600 recounts."""

BEFORE = timedelta(minutes=5)
"""Use is reported this long before what follows on it."""

SOURCE_TEXTS = {"purchase": "Bought {}", "recurring": "Monthly pack of {}", "top_up": "Automatic top-up of {}"}

COUNTED = (Aggregation.SUM, Aggregation.UNIQUE)
"""What parts report of their own in the story: what adds up, so that the whole stays the same."""

Step = tuple[datetime, int, Callable[[], object]]
"""When, in which order at the same moment, and what."""


def tell(database: Database, now: datetime) -> None:
    """Makes everything of the story happen up to `now`. The database has a catalogue and nothing else."""
    told = stories(now)
    with database.reading() as session:
        current = versions.current(session, now)
    _introduce(database, min(story.anchor for story in told))
    steps: list[Step] = []
    for story in told:
        narrator = _Narrator(database, story, current)
        narrator.begin()
        steps += narrator.steps(now)
    steps += _recounts(database, now)
    for _at, _order, act in sorted(steps, key=lambda step: step[:2]):
        act()


def _introduce(database: Database, since: datetime) -> None:
    """Makes the people known. One hash serves everybody: they share the password, and hashing is slow on purpose."""
    known = {person for organization in ACCOUNTS.organizations for person, _role in organization.members}
    password_hash = passwords.hashed(ACCOUNTS.password)
    with database.writing() as session:
        for person in (ACCOUNTS.operator, *sorted(known, key=lambda person: person.email)):
            users.create(
                session,
                person.email,
                person.name,
                since,
                password_hash=password_hash,
                operator=person.operator,
                demo=True,
            )


def _recounts(database: Database, now: datetime) -> Iterator[Step]:
    """The last scheduled recounts of all organizations."""
    for at in _last_recounts(now):
        yield at, 1, lambda at=at: recounts.run(database.writing, lambda: at, "demo", "schedule")


def _last_recounts(now: datetime) -> list[datetime]:
    last = recounts.last_scheduled(now)
    return [last - timedelta(hours=6 * number) for number in range(LAST_RECOUNTS)]


class _Narrator:
    """Tells one organization's story."""

    def __init__(self, database: Database, story: Story, current: Catalog) -> None:
        """Nothing has happened yet."""
        self._database = database
        self._story = story
        self._address = story.organization.address
        self._admin = story.organization.members[0][0].email
        self._catalog = current
        self._granted: set[str] = set()
        self._part: Found | None = None
        self._plans = {plan.id for plan in current.plans}
        self._packs = {pack.id: pack for pack in current.packs}
        self._metrics = {
            metric.id: metric for metric in current.metrics if AGGREGATIONS.get(metric.id) is metric.aggregation
        }

    def begin(self) -> None:
        """The organization, its first plan, its members and its API key."""
        story, at = self._story, self._story.anchor
        with self._database.writing() as session:
            organization = organizations.create(
                session, at, name=story.organization.name, address=self._address, anchor=at, **story.profile
            )
            grants.change_plan(Context(session, organization, at), self._plan(story.plan), reason="Signed up")
            for person, role in story.organization.members:
                users.join(session, organization.pk, users.by_email(session, person.email), role, at)
            # Its secret is forgotten: it stands on the page of keys, and whoever wants to report makes one.
            api_keys.create(session, organization.pk, "Usage reporter", DEFAULT_SCOPES, self._admin, at)

    def steps(self, now: datetime) -> Iterator[Step]:
        """Everything that happened up to `now`, as things to do."""
        for fact in self._story.facts:
            if fact.at <= now:
                yield fact.at, 0, lambda fact=fact: self._happen(fact)
        for period in Calendar(now, self._story.anchor).periods[1:]:
            yield period.start, 1, lambda at=period.start: self._recount(at)
        for at, batch in _batches(self._story, self._metrics, now):
            yield at, 2, lambda at=at, batch=batch: self._report(batch, at)

    def _happen(self, fact: Fact) -> None:
        if isinstance(fact, Report):
            # Posted before and after, so that what was told late or taken back is a row of its own.
            self._recount(fact.at)
            self._report([event for event in fact.events if event.metric in self._metrics], fact.at)
            self._recount(fact.at)
        else:
            with self._database.writing() as session:
                self._record(session, organizations.by_address(session, self._address), fact)

    def _record(self, session: Session, organization: Organization, fact: Fact) -> None:
        """Lets one thing happen, if the catalogue has what it is about: a changed plans.json must not stop a start."""
        if isinstance(fact, Found):
            self._found(session, organization, fact)
        elif isinstance(fact, Invite):
            self._invite(session, organization, fact)
        elif isinstance(fact, Decide):
            decide(session, organization, fact, self._admin)
        elif isinstance(fact, HoldPlan):
            grants.change_plan(Context(session, organization, fact.at), self._plan(fact.plan), reason=fact.reason)
        elif isinstance(fact, Buy):
            self._buy(session, organization, fact)
        elif isinstance(fact, Give):
            self._give(session, organization, fact)
        elif isinstance(fact, Void) and fact.key in self._granted:
            grants.void(
                Context(session, organization, fact.at, ACCOUNTS.operator.email), grant_id(fact.key), reason=fact.reason
            )
        elif isinstance(fact, Refund) and fact.key in self._granted:
            key = f"{self._source_key(fact.key)}:refund"
            grants.refund(
                Context(session, organization, fact.at, ACCOUNTS.operator.email),
                grant_id(fact.key),
                fact.refunded_cents,
                source_key=key,
                reason=fact.reason,
            )
        elif isinstance(fact, Dispute) and fact.key in self._granted:
            key = f"{self._source_key(fact.key)}:dispute:{fact.status}"
            grants.dispute(Context(session, organization, fact.at), grant_id(fact.key), fact.status, source_key=key)

    def _found(self, session: Session, organization: Organization, fact: Found) -> None:
        """Makes the sub-organization, if a changed catalogue's plan has room for it."""
        admin = users.by_email(session, self._admin)
        if limits.peek(Context(session, organization, fact.at), Limit.SUB_ORGS).fits():
            children.create(
                Context(session, organization, fact.at, self._admin),
                name=fact.name,
                address=fact.address,
                creator=admin,
            )
            self._part = fact

    def _invite(self, session: Session, organization: Organization, fact: Invite) -> None:
        if limits.peek(Context(session, organization, fact.at), Limit.MEMBERSHIPS).fits():
            members.invite(Context(session, organization, fact.at, self._admin), fact.email, fact.role)

    def _buy(self, session: Session, organization: Organization, fact: Buy) -> None:
        pack = self._packs.get(fact.pack)
        metric = self._metrics.get(pack.metric) if pack else None
        if pack is None or metric is None:
            return
        self._granted.add(fact.key)
        grants.grant(
            Context(session, organization, fact.at),
            grants.NewGrant(
                metric.id,
                pack.quantity,
                source=fact.source,
                source_key=self._source_key(fact.key),
                reason=SOURCE_TEXTS[fact.source].format(format_pack(pack, metric)),
                id=grant_id(fact.key),
                paid_cents=pack.price_cents,
                currency=self._catalog.currency,
                pack=pack.id,
            ),
        )

    def _give(self, session: Session, organization: Organization, fact: Give) -> None:
        if fact.metric not in self._metrics:
            return
        self._granted.add(fact.key)
        grants.grant(
            Context(
                session, organization, fact.at, ACCOUNTS.operator.email if fact.source == "operator" else self._admin
            ),
            grants.NewGrant(
                fact.metric,
                fact.quantity,
                source=fact.source,
                source_key=self._source_key(fact.key),
                reason=fact.reason,
                id=grant_id(fact.key),
                expires_at=fact.at + timedelta(days=fact.days),
            ),
        )

    def _report(self, events: list[ReportedEvent], at: datetime) -> None:
        part = self._part
        theirs = [part is not None and _is_of(part, event) for event in events]
        self._send(self._address, [event for event, other in zip(events, theirs, strict=True) if not other], at)
        if part is not None:
            self._send(part.address, [event for event, other in zip(events, theirs, strict=True) if other], at)

    def _send(self, address: str, events: list[ReportedEvent], at: datetime) -> None:
        if not events:
            return
        with self._database.writing() as session:
            batch = [(organizations.by_address(session, address), events)]
            (report,) = reporting.report_many(session, batch, at, backfill=False)
        if report.rejected:
            raise ValueError(f"the demo's story is refused: {report.rejected[0].detail}")

    def _recount(self, at: datetime) -> None:
        with self._database.writing() as session:
            recounts.post(Context(session, organizations.by_address(session, self._address), at))

    def _plan(self, plan: str) -> str:
        return plan if plan in self._plans else self._catalog.default_plan.id

    def _source_key(self, key: str) -> str:
        return f"demo:{self._address}:{key}"


def _is_of(part: Found, event: ReportedEvent) -> bool:
    """Whether a sub-organization reports this event: the same ones each time, and all of a device's by the same."""
    if event.at is None or event.at < part.at or AGGREGATIONS[event.metric] not in COUNTED:
        return False
    name = event.subject or f"{event.metric} {event.at:%Y-%m-%d}"
    return crc32(name.encode()) % part.one_in == 0


def grant_id(key: str) -> str:
    """The id of a grant: told again, the story has the same ones."""
    return f"gr_{key.replace('-', '_')}"


def _batches(story: Story, metrics: Iterable[str], now: datetime) -> Iterator[tuple[datetime, list[ReportedEvent]]]:
    """The story's use in the batches in which it is reported, one metric each, with the moments of their reports."""
    times = _report_times(story, now)
    found: dict[tuple[int, str], list[ReportedEvent]] = defaultdict(list)
    for event in story.usage:
        if event.metric in metrics and event.at is not None:
            found[bisect_left(times, event.at), event.metric].append(event)
    for (place, _metric), events in sorted(found.items(), key=lambda item: item[0]):
        for start in range(0, len(events), MAX_BATCH):
            yield times[place], events[start : start + MAX_BATCH]


def _report_times(story: Story, now: datetime) -> list[datetime]:
    """When use is reported: before whatever else happens, before a period ends, before the last recounts, and now.

    So nothing is late by accident, and the ledger shows under each purchase what was left when it was made.
    """
    happened = [fact.at for fact in story.facts] + _last_recounts(now)
    ends = [period.end for period in Calendar(now, story.anchor).periods]
    return sorted({at - BEFORE for at in (*happened, *ends) if at - BEFORE < now} | {now})
