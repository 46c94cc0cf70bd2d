"""Tokens become credits of a metric: both sides are facts, and whatever happens later they agree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from billing_app.db import Database
from billing_app.domain.common.errors import (
    BillingError,
    CreditsExhaustedError,
    FactRefusedError,
    InvalidError,
    NotFoundError,
)
from billing_app.domain.credits.facts import DisputeStatus, Grant
from billing_app.domain.credits.tokens import pieces
from billing_app.scenarios import databases
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import grants as credits
from billing_app.services.credits import tokens
from billing_app.services.usage import accounts, recounts
from billing_app.services.verification import verification
from billing_app.store.tables.credits import LedgerEntry
from billing_app.store.tables.organizations import Organization
from tests.support.builders import NOON, an_organization, the_catalogue

DAY = timedelta(days=1)


class Holder:
    """An organization with tokens. In the catalogue 1 token becomes 100 MAU."""

    def __init__(self, database: Database, address: str = "acme") -> None:
        self.database, self.address = database, address
        with database.writing() as session:
            organization = an_organization(session, address)
            credits.change_plan(Context(session, organization, NOON), "free")

    def do(self, work: Any, *arguments: Any, at: datetime, actor: str = "", **named: Any) -> Any:
        with self.database.writing() as session:
            organization = organizations.by_address(session, self.address)
            return work(Context(session, organization, at, actor), *arguments, **named)

    def gets(self, name: str, quantity: int, at: datetime = NOON, metric: str = "token", **more: Any) -> None:
        facts: dict[str, Any] = {"source": "operator", "source_key": name, "reason": name, "id": name} | more
        self.do(credits.grant, credits.NewGrant(metric, quantity, **facts), at=at)

    def converts(self, count: int, at: datetime = NOON, metric: str = "mau", key: str = "k") -> tokens.Converted:
        return self.do(tokens.convert, metric, count, key=key, at=at, actor="ada@example.org")

    def account(self, metric: str, at: datetime) -> Any:
        return self.do(lambda context: accounts.account(context.session, context.organization, metric, at), at=at)

    def entries(self, kind: str) -> list[LedgerEntry]:
        with self.database.reading() as session:
            query = select(LedgerEntry).where(LedgerEntry.kind == kind).order_by(col(LedgerEntry.number))
            return list(session.exec(query))

    def verified(self, at: datetime) -> list[object]:
        return self.do(lambda context: list(verification.verify(context)), at=at)


@pytest.fixture
def holder(database: Database) -> Holder:
    the_catalogue(database)
    return Holder(database)


def test_converting_burns_in_burn_order_and_makes_one_grant_per_token_grant(holder: Holder) -> None:
    holder.gets("late", 10, expires_at=NOON + 90 * DAY)
    holder.gets("soon", 6, expires_at=NOON + 30 * DAY, paid_cents=600, currency="usd")
    made = holder.converts(10, NOON + DAY)
    assert (made.quantity, made.reason) == (1_000, "Increase MAU limit by 1000")
    assert [(grant.quantity, grant.expires_at, grant.paid_cents) for grant in made.grants] == [
        (600, NOON + 30 * DAY, 600),
        (400, NOON + 90 * DAY, 0),
    ]
    held = holder.account("token", NOON + DAY)
    assert (held.left, held.burned, held.grants["late"].left, held.grants["soon"].left) == (6, 10, 6, 0)
    assert holder.account("mau", NOON + DAY).left == 1_000
    assert holder.verified(NOON + DAY) == []


def test_both_sides_stand_in_the_ledger_with_one_reason(holder: Holder) -> None:
    holder.gets("gift", 10)
    holder.converts(3)
    (converted,) = holder.entries("convert")
    assert (converted.metric, converted.quantity, converted.grant_id) == ("token", -3, "gift")
    got = next(entry for entry in holder.entries("grant") if entry.metric == "mau")
    assert (got.quantity, got.reason) == (300, converted.reason)


def test_a_remainder_is_refused_and_so_is_more_than_there_is(holder: Holder) -> None:
    holder.gets("gift", 10)
    for count, error in ((0, FactRefusedError), (-5, FactRefusedError), (11, CreditsExhaustedError)):
        with pytest.raises(error):
            holder.converts(count)
    with pytest.raises(NotFoundError):
        holder.converts(1, metric="nothing")
    assert holder.account("token", NOON).left == 10


def test_the_same_key_converts_once(holder: Holder) -> None:
    holder.gets("gift", 10)
    first, again = holder.converts(4), holder.converts(4)
    assert [grant.id for grant in first.grants] == [grant.id for grant in again.grants]
    assert (again.tokens, again.quantity, again.reason) == (first.tokens, first.quantity, first.reason)
    holder.converts(4, key="k:other")
    assert holder.account("token", NOON).left == 2


def test_refunding_tokens_that_were_converted_makes_token_debt(holder: Holder) -> None:
    holder.gets("bought", 10, paid_cents=1_000, currency="usd")
    holder.converts(8)
    holder.do(credits.refund, "bought", 1_000, source_key="re_1", at=NOON + DAY)
    after = holder.account("token", NOON + DAY)
    assert (after.left, after.debt) == (0, 8)
    assert holder.account("mau", NOON + DAY).left == 800
    holder.gets("next", 9, NOON + 2 * DAY)
    assert holder.account("token", NOON + 2 * DAY).left == 1
    assert holder.verified(NOON + 2 * DAY) == []


def test_what_was_made_of_tokens_is_not_refunded_by_itself(holder: Holder) -> None:
    holder.gets("bought", 10, paid_cents=1_000, currency="usd")
    (made,) = holder.converts(10).grants
    with pytest.raises(InvalidError, match="refund the tokens"):
        holder.do(credits.refund, made.id, 500, source_key="re_2", at=NOON)


def test_the_dispute_of_converted_tokens_holds_only_what_is_left(holder: Holder) -> None:
    holder.gets("bought", 10, paid_cents=1_000, currency="usd")
    holder.converts(4)
    holder.do(credits.dispute, "bought", DisputeStatus.OPENED, source_key="d1", at=NOON + DAY)
    assert holder.account("token", NOON + DAY).held == 6
    with pytest.raises(CreditsExhaustedError):
        holder.converts(1, NOON + DAY, key="more")
    holder.do(credits.dispute, "bought", DisputeStatus.LOST, source_key="d2", at=NOON + 2 * DAY)
    assert holder.account("token", NOON + 2 * DAY).debt == 4
    assert holder.verified(NOON + 2 * DAY) == []


def test_consumed_tokens_are_read_from_the_ledger(holder: Holder) -> None:
    holder.gets("gift", 100, datetime(2025, 2, 1, tzinfo=UTC), expires_at=None)
    for count, at in ((1, "2025-02-10"), (10, "2025-04-01"), (20, "2026-02-28"), (30, "2026-03-01")):
        holder.converts(count, datetime.fromisoformat(at).replace(tzinfo=UTC), key=at)
    used = holder.do(tokens.consumed, at=NOON)
    assert (used.monthly, used.yearly) == (30, 60)


@given(
    grants=st.lists(st.tuples(st.integers(1, 50), st.integers(0, 30)), min_size=1, max_size=6),
    data=st.data(),
)
def test_pieces_lose_nothing(grants: list[tuple[int, int]], data: st.DataObject) -> None:
    left = [
        (Grant(f"g{number}", quantity, NOON, None, NOON, paid_cents=paid), data.draw(st.integers(0, quantity)))
        for number, (quantity, paid) in enumerate(grants)
    ]
    available = sum(rest for _, rest in left)
    wanted = data.draw(st.integers(1, max(1, available)))
    if wanted > available:
        return
    quantity = data.draw(st.integers(1, 10_000))
    made = pieces(left, wanted, quantity)
    assert sum(piece.tokens for piece in made) == wanted
    assert sum(piece.quantity for piece in made) == quantity
    for piece in made:
        assert piece.quantity >= 0
        assert (piece.paid_cents > 0) == (piece.grant.paid_cents > 0)
        assert piece.paid_cents <= max(1, piece.grant.paid_cents)


@pytest.fixture(scope="module")
def shared() -> Iterator[Database]:
    with databases.fresh("sqlite://") as opened:
        the_catalogue(opened)
        yield opened


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["grant", "convert", "convert", "refund", "void", "dispute", "use", "recount"]),
        st.integers(0, 40),
        st.integers(0, 3),
        st.booleans(),
    ),
    min_size=3,
    max_size=16,
)
_numbers = iter(range(10**9))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=STEPS)
def test_after_any_story_of_tokens_everything_stored_says_what_the_engine_says(
    shared: Database, steps: list[tuple[str, int, int, bool]]
) -> None:
    story = Holder(shared, f"tokens-{next(_numbers)}")
    now, converted, names = NOON, 0, ["none"]
    for number, (verb, size, pick, paid) in enumerate(steps):
        now += timedelta(days=pick * 9)
        with shared.writing() as session:
            organization = organizations.by_address(session, story.address)
            try:
                converted += _tell(session, organization, names, (verb, size, pick, paid), number, now)
            except BillingError:
                session.rollback()
    assert story.verified(now) == []
    tokens_now, mau = story.account("token", now), story.account("mau", now)
    assert sum(grant.converted for grant in tokens_now.grants.values()) == converted
    assert sum(grant.quantity for grant in mau.grants.values()) == converted * 100
    story.do(recounts.post, at=now)
    assert story.verified(now) == []


def _tell(
    session: Session,
    organization: Organization,
    names: list[str],
    step: tuple[str, int, int, bool],
    number: int,
    now: datetime,
) -> int:
    """Lets one thing happen; answers how many tokens it converted."""
    verb, size, pick, paid = step
    name = names[size % len(names)]
    key = f"{verb} {number}"
    if verb == "grant":
        facts: dict[str, Any] = {"paid_cents": 100 if paid else 0, "expires_at": now + timedelta(days=20 * pick + 5)}
        credits.grant(
            Context(session, organization, now),
            credits.NewGrant(
                "token", size + 1, source="operator", source_key=key, reason=key, id=f"g{number}", **facts
            ),
        )
        names.append(f"g{number}")
    elif verb == "convert":
        return tokens.convert(Context(session, organization, now, ""), "mau", size // 4, key=key).tokens
    elif verb == "refund":
        credits.refund(Context(session, organization, now), name, size * 3, source_key=key)
    elif verb == "void":
        credits.void(Context(session, organization, now), name)
    elif verb == "dispute":
        status = (DisputeStatus.OPENED, DisputeStatus.WON, DisputeStatus.LOST)[pick % 3]
        credits.dispute(Context(session, organization, now), name, status, source_key=key)
    elif verb == "recount":
        recounts.post(Context(session, organization, now))
    return 0
