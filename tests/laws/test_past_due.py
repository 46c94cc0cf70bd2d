"""Which plan is in force while one is past due: derived from dated facts, compared with a naive look at an instant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.catalogue import Catalog, parse_catalog, to_document
from billing_app.domain.common.periods import period_containing
from billing_app.domain.credits import engine
from billing_app.domain.credits.facts import Aggregation, Grant, History, UsagePoint
from billing_app.domain.purchases.subscriptions import past_due
from billing_app.scenarios.document import parse
from billing_app.services.usage.plans_in_force import Plans
from billing_app.store.credits.grants import HeldPlan
from tests.laws.examples import law

ANCHOR = datetime(2024, 1, 31, 12, tzinfo=UTC)
ALLOWANCES: dict[str, int | None] = {"free": 3, "small": 8, "large": 20, "endless": None}
GRACE = timedelta(days=7)
HORIZON = 120
"""Days of a history: four periods."""

CATALOG: Catalog = replace(
    parse_catalog(
        to_document(
            parse(
                {
                    "name": "past due",
                    "metrics": [{"id": "api", "aggregation": "sum"}],
                    "plans": {name: {"included": {"api": quantity}} for name, quantity in ALLOWANCES.items()},
                    "actions": {"call": ["api"]},
                    "organization": {"plan": "free", "anchor": "2024-01-31T12:00:00Z"},
                    "steps": [],
                }
            ).catalog
        ),
        "laws",
    ),
    grace_days=GRACE.days,
)
DEFAULT = CATALOG.default_plan.id

MOMENTS = st.integers(0, HORIZON * 4).map(lambda quarters: ANCHOR + timedelta(hours=6 * quarters))


@dataclass(frozen=True)
class Facts:
    """What an organization chose, and when that was past due; in recorded order."""

    chosen: tuple[tuple[datetime, str], ...]
    owed: tuple[tuple[datetime, bool], ...]

    def plans(self) -> Plans:
        """The facts as the product derives from them."""
        held = [HeldPlan(number, plan, at, at) for number, (at, plan) in enumerate(self.chosen)]
        held.sort(key=lambda change: (change.at, change.number))
        periods = past_due(self.owed, ANCHOR, lambda _at: GRACE.days)
        return Plans(tuple(held), ((ANCHOR, CATALOG),), periods)


@st.composite
def histories(draw: st.DrawFn) -> Facts:
    chosen = [(ANCHOR, draw(st.sampled_from(list(ALLOWANCES))))]
    chosen += draw(st.lists(st.tuples(MOMENTS, st.sampled_from(list(ALLOWANCES))), max_size=3))
    return Facts(tuple(chosen), tuple(draw(st.lists(st.tuples(MOMENTS, st.booleans()), max_size=6))))


def failed_at(facts: Facts, at: datetime) -> datetime | None:
    """Naively: the first failure of what is owed at `at`; None if nothing is."""
    since: datetime | None = None
    for moment in sorted({moment for moment, _ in facts.owed if moment <= at}):
        owes = [owed for each, owed in facts.owed if each == moment][-1]
        since = (since or moment) if owes else None
    return since


def chosen_at(facts: Facts, at: datetime) -> str:
    """Naively: the plan chosen last by `at`; the first one before."""
    by_then = [(moment, number) for number, (moment, _) in enumerate(facts.chosen) if moment <= at]
    return facts.chosen[max(by_then)[1]][1] if by_then else facts.chosen[0][1]


def in_force(facts: Facts, at: datetime) -> str:
    """Naively: the plan whose limits hold."""
    since = failed_at(facts, at)
    return DEFAULT if since is not None and at >= since + GRACE else chosen_at(facts, at)


def allowed(facts: Facts, at: datetime) -> int | None:
    """Naively: what is included as of one instant; a period that began unpaid has the default's from its start on."""
    since = failed_at(facts, at)
    fell = since is not None and (at >= since + GRACE or period_containing(ANCHOR, at).start > since)
    return ALLOWANCES[DEFAULT if fell else chosen_at(facts, at)]


def largest(facts: Facts, at: datetime) -> int | None:
    """Naively: the largest that was included at any quarter of a day, or fact, of the period so far (rule 7)."""
    start = period_containing(ANCHOR, at).start
    instants = {start, at, *(moment for moment, _ in (*facts.chosen, *facts.owed) if start <= moment <= at)}
    instants |= {moment + GRACE for moment, _ in facts.owed if start <= moment + GRACE <= at}
    found = [allowed(facts, instant) for instant in instants]
    return None if None in found else max(each for each in found if each is not None)


def history(facts: Facts) -> History:
    """A metric of that organization, with a little use in every period."""
    used = tuple(UsagePoint(ANCHOR + timedelta(days=day, hours=1), 1) for day in range(0, HORIZON, 31))
    credit = Grant("bought", 50, ANCHOR, None, ANCHOR, paid_cents=100)
    return History(ANCHOR, Aggregation.SUM, facts.plans().allowances("api"), (credit,), used)


@law
@given(histories(), MOMENTS)
def test_the_plan_in_force_is_the_one_that_a_look_at_the_facts_gives(facts: Facts, at: datetime) -> None:
    assert facts.plans().plan_at(at) == in_force(facts, at)


@law
@given(histories(), MOMENTS)
def test_the_allowance_is_the_largest_of_the_period_and_the_engine_agrees(facts: Facts, at: datetime) -> None:
    account = engine.compute(history(facts), at)
    assert account.allowance == largest(facts, at)
    counted = facts.plans().largest("api", period_containing(ANCHOR, at).start, at)
    assert counted.allowance("api") == largest(facts, at)


@law
@given(histories(), MOMENTS, st.data())
def test_the_order_in_which_it_was_heard_of_changes_nothing(facts: Facts, at: datetime, data: st.DataObject) -> None:
    unique = dict(facts.owed)
    heard = data.draw(st.permutations(list(unique.items())))
    other = replace(facts, owed=tuple(heard))
    assert other.plans().past_due == replace(facts, owed=tuple(unique.items())).plans().past_due
    assert engine.compute(history(other), at) == engine.compute(history(replace(facts, owed=tuple(unique.items()))), at)


@law
@given(histories(), MOMENTS, MOMENTS)
def test_nothing_changes_between_the_moments_that_it_names(facts: Facts, one: datetime, other: datetime) -> None:
    """Whoever computed at one moment may rely on it until the next: meters do."""
    first, last = sorted((one, other))
    plans = facts.plans()
    changes = {allowance.at for allowance in plans.allowances("api")}
    if not any(first < moment <= last for moment in changes):
        assert plans.counted_at(first).allowance("api") == plans.counted_at(last).allowance("api")


@law
@given(histories(), MOMENTS)
def test_bought_credits_survive_whatever_is_owed(facts: Facts, at: datetime) -> None:
    grant = engine.compute(history(facts), at).grants["bought"]
    assert grant.left + grant.burned == grant.quantity
