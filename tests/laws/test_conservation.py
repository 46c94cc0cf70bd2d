"""Conservation: every credit of a grant is in exactly one place, and every unit used is paid by exactly one payer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from billing_app.domain.credits import engine
from billing_app.domain.credits.accounts import Account, GrantAccount, Month

from .examples import law
from .histories import looking_at
from .raw import RawHistory, engine_history
from .stories import any_history

PLACES = ("pending", "left", "burned", "held", "expired", "voided", "clawed_back")


def accounts(raw: RawHistory, data: st.DataObject) -> list[Account]:
    moments = data.draw(st.lists(st.sampled_from(looking_at(raw)), min_size=1, max_size=6, unique=True))
    history = engine_history(raw)
    return [engine.compute(history, as_of) for as_of in moments]


def places(grant: GrantAccount) -> list[int]:
    return [getattr(grant, place) for place in PLACES]


def parts(month: Month) -> list[int]:
    return [month.covered, month.burned, month.uncovered, month.deficit]


@law
@given(any_history(), st.data())
def test_every_credit_is_in_exactly_one_place(raw: RawHistory, data: st.DataObject) -> None:
    for account in accounts(raw, data):
        for grant in account.grants.values():
            assert sum(places(grant)) == grant.quantity
            assert min([*places(grant), grant.debt]) >= 0


@law
@given(any_history(), st.data())
def test_every_unit_used_is_included_burned_or_unpaid(raw: RawHistory, data: st.DataObject) -> None:
    for account in accounts(raw, data):
        for month in account.months:
            assert sum(parts(month)) == month.used
            assert min(parts(month)) >= 0
            assert sum(month.burns.values()) == month.burned


@law
@given(any_history(), st.data())
def test_totals_are_the_sums_of_the_grants_and_of_the_months(raw: RawHistory, data: st.DataObject) -> None:
    for account in accounts(raw, data):
        for place in (*PLACES[1:], "debt"):
            assert getattr(account, place) == sum(getattr(grant, place) for grant in account.grants.values())
        assert account.burned == sum(month.burned + month.converted for month in account.months)
        assert account.expired == sum(month.expired for month in account.months)
        assert account.uncovered == sum(month.uncovered for month in account.months)
        for grant in account.grants.values():
            used = sum(month.burns.get(grant.id, 0) for month in account.months)
            assert grant.burned == used + grant.converted


@law
@given(any_history(), st.data())
def test_nothing_is_left_to_spend_while_the_running_period_has_a_deficit(raw: RawHistory, data: st.DataObject) -> None:
    for account in accounts(raw, data):
        assert account.left == 0 or account.month(account.period).deficit == 0


@law
@given(any_history(), st.data())
def test_refunds_and_disputes_never_take_more_than_the_grant(raw: RawHistory, data: st.DataObject) -> None:
    for account in accounts(raw, data):
        for grant in account.grants.values():
            assert grant.clawed_back + grant.debt <= grant.quantity
