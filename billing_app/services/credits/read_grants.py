"""Grants as pages show them: where the credits of each are, what it does now, which months burned it. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from billing_app.domain.catalogue import TOKEN, Catalog, Metric
from billing_app.domain.credits.accounts import Account, GrantAccount
from billing_app.domain.credits.forecast import MetricForecast
from billing_app.services.credits import labels
from billing_app.services.credits.views import GrantStatus, GrantView, MonthBurn
from billing_app.store.tables.credits import GrantRow


@dataclass(frozen=True, slots=True)
class Totals:
    """Where all credits went that have begun: granted - burned - expired - voided - clawed_back - held = left."""

    granted: int
    burned: int
    expired: int
    voided: int
    clawed_back: int
    held: int


def totals(look: MetricForecast) -> Totals:
    """Over the grants that are effective: what happens to one before it begins counts from its beginning on."""
    begun = [each for each in look.account.grants.values() if look.state.positions[each.id].effective]
    return Totals(
        granted=sum(each.quantity for each in begun),
        burned=sum(each.burned for each in begun),
        expired=sum(each.expired for each in begun),
        voided=sum(each.voided for each in begun),
        clawed_back=sum(each.clawed_back for each in begun),
        held=sum(each.held for each in begun),
    )


def with_tokens(current: Catalog, rows: Iterable[GrantRow]) -> tuple[Metric, ...]:
    """The metrics whose credits a reader may look at: the catalogue's, and tokens where the organization has any."""
    return (*current.metrics, TOKEN) if any(row.metric == TOKEN.id for row in rows) else current.metrics


def grant_views(look: MetricForecast, rows: Sequence[GrantRow]) -> tuple[GrantView, ...]:
    """The grants of a metric in burn order; what has nothing left comes after, the newest first.

    Between the two is what waits: on hold, or not effective yet.
    """
    by_id = {row.id: row for row in rows}
    accounts = look.account.grants
    spendable, waiting, ended = [], [], []
    for fact in sorted(look.facts.grants, key=lambda fact: fact.burn_key):
        grant = accounts[fact.id]
        place = spendable if grant.left else waiting if grant.held or grant.pending else ended
        place.append(by_id[fact.id])
    ended.sort(key=lambda row: (row.effective_at, row.created_at, row.id), reverse=True)
    burns, places = _burns(look.account), {row.id: place for place, row in enumerate(spendable)}
    return tuple(
        _view(row, accounts[row.id], _status(look, accounts[row.id], places.get(row.id)), burns[row.id])
        for row in (*spendable, *waiting, *ended)
    )


def _burns(account: Account) -> defaultdict[str, list[MonthBurn]]:
    """What each period burned of each grant, oldest first."""
    found: defaultdict[str, list[MonthBurn]] = defaultdict(list)
    for month in account.months:
        for grant_id, quantity in month.burns.items():
            found[grant_id].append(MonthBurn(month.period, quantity))
    return found


def _view(row: GrantRow, grant: GrantAccount, status: GrantStatus, burns: list[MonthBurn]) -> GrantView:
    return GrantView(
        id=row.id,
        label=labels.grant_label(row),
        status=status,
        quantity=grant.quantity,
        left=grant.left,
        burned=grant.burned,
        held=grant.held,
        expired=grant.expired,
        voided=grant.voided,
        clawed_back=grant.clawed_back,
        debt=grant.debt,
        effective_at=row.effective_at,
        expires_at=row.expires_at,
        burns=tuple(burns),
    )


def _status(look: MetricForecast, grant: GrantAccount, place: int | None) -> GrantStatus:
    """What a grant does now; `place` is its place in burn order among those with credits left."""
    if place is not None:
        burning = look.account.allowance is not None and look.account.used > look.account.allowance
        first_waiting = 1 if burning else 0
        if place == first_waiting:
            return GrantStatus.NEXT
        return GrantStatus.BURNING if place < first_waiting else GrantStatus.WAITING
    if grant.pending:
        return GrantStatus.PENDING
    if grant.held:
        return GrantStatus.HELD
    return _end(look, grant)


def _end(look: MetricForecast, grant: GrantAccount) -> GrantStatus:
    """Why nothing is left of it. What a grant paid for the debt of another was used, not taken back from it."""
    position = look.state.positions[grant.id]
    if position.asked:
        return GrantStatus.REFUNDED
    if grant.voided:
        return GrantStatus.VOIDED
    return GrantStatus.EXPIRED if grant.expired else GrantStatus.USED_UP
