"""Tokens: universal credits that are converted into credits of a metric at the catalogue's rate.

A conversion burns token grants in burn order, and makes one grant of the metric for each of them, with its expiry and
of its kind, free or paid (credits.md, Gift cards and tokens). Both sides are facts of one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import TOKEN_ID, Metric
from billing_app.domain.catalogue.quantities import format_size
from billing_app.domain.common.errors import CreditsExhaustedError, FactRefusedError
from billing_app.domain.common.periods import period_at, period_containing
from billing_app.domain.credits.facts import Grant
from billing_app.domain.credits.tokens import Piece, pieces
from billing_app.services.catalogue import versions
from billing_app.services.common import audit
from billing_app.services.common.context import Context
from billing_app.services.common.secrets import digest
from billing_app.services.credits import grants as credits
from billing_app.services.credits import invoice_grants
from billing_app.services.credits.views_cards import BroughtView, RateAnswer, TokensAnswer
from billing_app.services.usage import accounts, meters, recounts
from billing_app.store.common import locks
from billing_app.store.credits import grants as store
from billing_app.store.credits import ledger
from billing_app.store.notifications import outbox
from billing_app.store.tables.credits import GrantAction, GrantRow
from billing_app.store.usage import meters as meter_store

KEY_LENGTH = 32
"""Characters of a key's digest that its facts carry: 128 bits do not meet by accident."""

YEAR_PERIODS = 12
"""`yearly_consumed_tokens` counts the running period and the 11 before."""


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion did: `tokens` became `quantity` base units of `metric`, in these grants."""

    metric: str
    tokens: int
    quantity: int
    reason: str
    grants: tuple[GrantRow, ...]


@dataclass(frozen=True, slots=True)
class Consumed:
    """Tokens that were converted in the running period, and in it and the 11 before."""

    monthly: int
    yearly: int


def convert(context: Context, metric_id: str, tokens: int, *, key: str) -> Converted:
    """Turns `tokens` tokens into credits of a metric, once per `key`: repeating it answers what it did.

    Raises NotFoundError `metric_not_found` or `token_rate_not_found`, FactRefusedError `invalid_quantity` (below 1, or
    a remainder at this rate), CreditsExhaustedError.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    now = locks.hold(session, owner, now)
    name = f"convert:{digest(key)[:KEY_LENGTH]}"
    earlier = store.actions_by_source(session, owner, f"{name}:")
    if earlier:
        return _repeated(session, owner, name, earlier)
    current = versions.current(session, now)
    metric = current.metric(metric_id)
    quantity = current.token_rate(metric.id).quantity_for(tokens)
    now = meters.prepare_all(context.at(now), [TOKEN_ID, metric.id])
    parts = _parts(context.at(now), tokens, quantity)
    reason = reason_of(metric, quantity)
    _burn(context.at(now), parts, name=name, reason=reason)
    made = [
        credits.grant(
            context.at(now),
            credits.NewGrant(
                metric.id,
                part.quantity,
                source="conversion",
                source_key=f"{name}:{part.grant.id}",
                reason=reason,
                expires_at=part.grant.expires_at,
                paid_cents=part.paid_cents,
                currency=current.currency if part.paid_cents else "",
                backdated=True,
            ),
        )
        for part in parts
        if part.quantity
    ]
    after = {"from": tokens, "to": quantity, "metric": metric.id}
    audit.record(session, owner, now, actor, "credits.converted", metric.id, after=after)
    payload = {"metric": metric.id, "tokens": tokens, "quantity": quantity, "reason": reason}
    payload["grants"] = [invoice_grants.payload(each) for each in made]
    outbox.add(session, owner, "credits.converted", name, payload, now, now, metric.id)
    return Converted(metric.id, tokens, quantity, reason, tuple(made))


def consumed(context: Context) -> Consumed:
    """`monthly_consumed_tokens` and `yearly_consumed_tokens`, as the ledger has them."""
    session, organization, now = context.session, context.organization, context.now
    owner = organization.pk
    running = period_containing(organization.anchor, now)
    first = period_at(organization.anchor, running.number - YEAR_PERIODS + 1)
    return Consumed(
        monthly=-ledger.total(session, owner, TOKEN_ID, "convert", running.start, running.end),
        yearly=-ledger.total(session, owner, TOKEN_ID, "convert", first.start, running.end),
    )


def reason_of(metric: Metric, quantity: int) -> str:
    """What both sides of a conversion say, such as "Increase MAU limit by 1000"."""
    return f"Increase {metric.name} limit by {quantity if metric.counts else format_size(quantity, metric)}"


def _parts(context: Context, tokens: int, quantity: int) -> tuple[Piece, ...]:
    """Which token grants pay, in burn order, and what each of them becomes."""
    session, organization, now = context.session, context.organization, context.now
    facts = accounts.history(session, organization, TOKEN_ID, now)
    account = accounts.traced(facts, now).account(facts, now)
    if tokens > account.left:
        raise CreditsExhaustedError(
            f"{tokens} tokens are more than the {account.left} that are left.",
            metric=TOKEN_ID,
            requested=tokens,
            credits=account.left,
        )
    left: list[tuple[Grant, int]] = [
        (fact, account.grants[fact.id].left) for fact in sorted(facts.grants, key=lambda fact: fact.burn_key)
    ]
    return pieces(left, tokens, quantity)


def _burn(context: Context, parts: Sequence[Piece], *, name: str, reason: str) -> None:
    """The tokens' side: one fact per token grant."""
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    for part in parts:
        session.add(
            GrantAction(
                organization_id=owner,
                number=store.next_action_number(session, owner),
                grant_id=part.grant.id,
                metric=TOKEN_ID,
                kind="convert",
                at=now,
                recorded_at=now,
                quantity=part.tokens,
                source_key=f"{name}:{part.grant.id}",
                reason=reason,
                actor=actor,
            )
        )
        session.flush()
    meter_store.mark_stale(session, owner, [TOKEN_ID])
    recounts.post(context)


def _repeated(session: Session, owner: int, name: str, earlier: Sequence[GrantAction]) -> Converted:
    """What the conversion of this key did."""
    found = [store.grant_by_source(session, owner, f"{name}:{action.grant_id}") for action in earlier]
    made = tuple(grant for grant in found if grant is not None)
    if not made:
        raise FactRefusedError("This conversion made no grant.", code="invalid_quantity")
    return Converted(
        metric=made[0].metric,
        tokens=sum(action.quantity or 0 for action in earlier),
        quantity=sum(grant.quantity for grant in made),
        reason=earlier[0].reason,
        grants=made,
    )


def brought(session: Session, done: Converted, now: datetime) -> BroughtView:
    """What a conversion brought, for whoever reads it."""
    return BroughtView(done.reason, ((versions.current(session, now).metric(done.metric), done.quantity),))


def look(context: Context) -> TokensAnswer:
    """What is left, and what it may become."""
    session, organization, now = context.session, context.organization, context.now
    left = accounts.account(session, organization, TOKEN_ID, now).left
    return TokensAnswer(left, tuple(RateAnswer(*rate) for rate in rates(session, now)))


def rates(session: Session, now: datetime) -> tuple[tuple[Metric, int, int], ...]:
    """What tokens may become: metric, tokens at a time, and the quantity that they become."""
    current = versions.current(session, now)
    return tuple((current.metric(rate.metric), rate.tokens, rate.quantity) for rate in current.token_rates)
