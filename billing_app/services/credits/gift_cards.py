"""Gift cards: made by operators, their codes shown once, redeemed once by an organization.

Redeeming takes two steps, as signing in does: `begin` counts a guess and is committed, `redeem` takes it back when the
code was right. The counts are in the database, so guesses made at once are all counted.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from billing_app.domain.common.errors import BillingError, ConflictError, InvalidError, NotFoundError
from billing_app.domain.common.texts import required_reason
from billing_app.domain.credits import gift_codes
from billing_app.domain.credits.facts import MAX_QUANTITY
from billing_app.services.catalogue import versions
from billing_app.services.common import audit, cursors, payers
from billing_app.services.common.answers import filled
from billing_app.services.common.context import Context, Enter
from billing_app.services.common.secrets import digest
from billing_app.services.credits import grants as credits
from billing_app.services.credits import invoice_grants
from billing_app.services.credits.views_cards import (
    BroughtView,
    CardState,
    GiftCardAnswer,
    NewGiftCardAnswer,
    RedemptionAnswer,
)
from billing_app.store.access import sign_in_throttle
from billing_app.store.common import locks
from billing_app.store.credits import gift_cards as store
from billing_app.store.notifications import outbox
from billing_app.store.tables.base import new_id
from billing_app.store.tables.credits import GiftCard, GrantRow
from billing_app.store.tables.organizations import Organization

MAX_BATCH = 1_000
"""Cards made at once: a page of codes that a person can still hand out."""

MAX_REDEMPTIONS = 1_000_000
MAX_NAME = 100

PAGE = 50
"""Cards of one page."""

GUESS_WINDOW = timedelta(minutes=15)
MAX_GUESSES = 10
"""Wrong codes of one organization per window. Typing errors fit in; a code would take 10**17 years."""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a card brought: one grant per metric."""

    card_id: UUID
    name: str
    grants: tuple[GrantRow, ...]


def _drawn() -> str:
    return "".join(secrets.choice(gift_codes.ALPHABET) for _ in range(gift_codes.LENGTH))


def create(
    session: Session,
    name: str,
    contents: Mapping[str, int],
    now: datetime,
    *,
    count: int = 1,
    max_redemptions: int = 1,
    expires_at: datetime | None = None,
    actor: str = "",
    draw: Callable[[], str] = _drawn,
) -> list[NewGiftCardAnswer]:
    """Makes `count` cards of one batch, all with the same contents (metric or `token` to base units).

    `draw` gives their codes; nothing but the demo, whose card everybody may know, has another than chance.
    Raises InvalidError `invalid_name`, `invalid_contents`, `invalid_quantity`, `invalid_expiry`, NotFoundError
    `metric_not_found`.
    """
    title = name.strip()
    if not title or len(title) > MAX_NAME or not title.isprintable():
        raise InvalidError(f"A gift card's name has 1 to {MAX_NAME} visible characters.", code="invalid_name")
    _check_numbers(count, max_redemptions)
    if expires_at is not None and expires_at <= now:
        raise InvalidError("A gift card must be redeemable for a while: choose a later end.", code="invalid_expiry")
    held = _checked_contents(session, contents, now)
    batch_id = new_id()
    codes = [draw() for _ in range(count)]
    rows = [
        GiftCard(
            batch_id=batch_id, name=title, code_hash=digest(code), hint=gift_codes.hint(code),
            contents=json.dumps(held), expires_at=expires_at, max_redemptions=max_redemptions, created_at=now,
            created_by=actor,
        )
        for code in codes
    ]  # fmt: skip
    store.add(session, rows)
    holds = ", ".join(f"{quantity} {metric}" for metric, quantity in held.items())
    made = {"cards": count, "each holds": holds, "redemptions": max_redemptions, "until": expires_at}
    audit.record(session, None, now, actor, "gift_card.created", title, after=made)
    return [
        filled(NewGiftCardAnswer, view(row, now), code=gift_codes.grouped(code))
        for row, code in zip(rows, codes, strict=True)
    ]


def begin(context: Context) -> None:
    """Counts a wrong code of this organization until `redeem` proves it right. Commit before going on.

    Raises BillingError `too_many_attempts` (429).
    """
    session, organization, now = context.session, context.organization, context.now
    if sign_in_throttle.count(session, _guesser(organization), now, now - GUESS_WINDOW) > MAX_GUESSES:
        raise BillingError(
            "Too many codes were wrong. Check the card, and try again in 15 minutes.",
            code="too_many_attempts",
            status=429,
            retry_after=int(GUESS_WINDOW.total_seconds()),
        )


def redeem(context: Context, code: str) -> Redeemed:
    """Gives the organization what the card holds, valid for one year from `now`. Call `begin` before.

    Raises NotFoundError `gift_card_not_found`; ConflictError `gift_card_redeemed` (by this organization, before),
    `gift_card_used_up`, `gift_card_expired`, `gift_card_void`, `paid_by_another` (credits of an organization that
    another pays for would never be used).
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    paying, now = payers.hold(context)
    payers.require_active(organization, paying)
    if paying.id != organization.id:
        raise ConflictError(
            f"{paying.name} pays for this organization: redeem the card there.",
            code="paid_by_another",
            payer=paying.address,
        )
    normal = gift_codes.normal(code)
    card = None if normal is None else store.by_hash(session, digest(normal))
    if card is None:
        raise NotFoundError("There is no gift card with this code. Check each group of it.", code="gift_card_not_found")
    sign_in_throttle.take_back(session, _guesser(organization))  # whoever knows a code is not guessing
    if not store.redeem(session, owner, card.id, now, actor):
        raise ConflictError("Your organization has redeemed this gift card already.", code="gift_card_redeemed")
    if not store.take(session, card.id, now):
        session.refresh(card)
        raise _spent(_state(card, now))
    made = [
        credits.grant(
            context.at(now),
            credits.NewGrant(
                metric, quantity, source="gift_card", source_key=f"gift_card:{card.id}:{metric}", reason=card.name
            ),
        )
        for metric, quantity in sorted(contents_of(card).items())
    ]
    now = locks.moment(session, now)
    audit.record(session, owner, now, actor, "gift_card.redeemed", card.name, after={"card": card.hint})
    payload = {"card": str(card.id), "name": card.name, "grants": [invoice_grants.payload(each) for each in made]}
    outbox.add(session, owner, "gift_card.redeemed", f"gift_card:{card.id}", payload, now, now)
    return Redeemed(card.id, card.name, tuple(made))


def redeem_counted(enter: Enter, code: str) -> BroughtView:
    """Counts the guess in a transaction of its own, then redeems; raises as `begin` and `redeem` do."""
    with enter() as at:
        begin(at)
    with enter() as at:
        got = redeem(at, code)
        current = versions.current(at.session, at.now)
        return BroughtView(got.name, tuple((current.metric(each.metric), each.quantity) for each in got.grants))


def void(session: Session, card_id: UUID, reason: str, now: datetime, *, actor: str = "") -> GiftCardAnswer:
    """Ends a card for good; what was redeemed stays. Voiding twice is one void.

    Raises NotFoundError `gift_card_not_found`, InvalidError `reason_required`.
    """
    said = required_reason(reason)
    card = _existing(session, card_id)
    if store.void(session, card_id, now, said):
        after = {"card": card.hint, "reason": said}
        audit.record(session, None, now, actor, "gift_card.voided", card.name, after=after)
    session.refresh(card)
    return view(card, now)


def page(session: Session, now: datetime, limit: int, before: UUID | None = None) -> list[GiftCardAnswer]:
    """Cards, the newest first."""
    return [view(card, now) for card in store.page(session, limit, before)]


def listed(session: Session, cursor: str, now: datetime) -> tuple[list[GiftCardAnswer], str]:
    """A page of cards, the newest first, and the cursor of the one after. Raises NotFoundError `cursor_not_found`."""
    (before,) = cursors.decode(cursor, UUID) or (None,)
    found = page(session, now, PAGE + 1, before)
    return found[:PAGE], cursors.encode(found[PAGE - 1].id) if len(found) > PAGE else ""


def redemptions(session: Session, card_id: UUID, limit: int) -> list[RedemptionAnswer]:
    """Who redeemed a card, the latest first. Raises NotFoundError `gift_card_not_found`."""
    _existing(session, card_id)
    return [
        RedemptionAnswer(organization.address, organization.name, row.redeemed_at, row.actor)
        for row, organization in store.redeemers(session, card_id, limit)
    ]


def view(card: GiftCard, now: datetime) -> GiftCardAnswer:
    """What may be shown of a card."""
    return filled(GiftCardAnswer, card, contents=contents_of(card), state=_state(card, now))


def contents_of(card: GiftCard) -> dict[str, int]:
    """What a card brings: metric to base units."""
    return json.loads(card.contents)


def _check_numbers(count: int, max_redemptions: int) -> None:
    if not 1 <= count <= MAX_BATCH:
        raise InvalidError(f"1 to {MAX_BATCH} cards are made at once.", code="invalid_quantity")
    if not 1 <= max_redemptions <= MAX_REDEMPTIONS:
        raise InvalidError(f"A card is redeemed 1 to {MAX_REDEMPTIONS} times.", code="invalid_quantity")


def _checked_contents(session: Session, contents: Mapping[str, int], now: datetime) -> dict[str, int]:
    current = versions.current(session, now)
    if not contents:
        raise InvalidError("A gift card holds credits of at least one metric, or tokens.", code="invalid_contents")
    for metric, quantity in contents.items():
        current.metric(metric)
        if not 1 <= quantity <= MAX_QUANTITY:
            raise InvalidError(f"A card holds 1 to {MAX_QUANTITY} of {metric}.", code="invalid_quantity")
    return dict(sorted(contents.items()))


def _existing(session: Session, card_id: UUID) -> GiftCard:
    card = store.by_id(session, card_id)
    if card is None:
        raise NotFoundError("There is no such gift card.", code="gift_card_not_found")
    return card


def _state(card: GiftCard, now: datetime) -> CardState:
    if card.voided_at is not None:
        return CardState.VOID
    if card.redemptions >= card.max_redemptions:
        return CardState.USED_UP
    return CardState.EXPIRED if card.expires_at is not None and card.expires_at <= now else CardState.OPEN


def _spent(state: CardState) -> ConflictError:
    """Why a card can no longer be redeemed."""
    sentences = {
        CardState.VOID: "This gift card was withdrawn. Ask whoever gave it to you.",
        CardState.EXPIRED: "This gift card has expired.",
    }
    code = f"gift_card_{state.value if state is not CardState.OPEN else CardState.USED_UP.value}"
    return ConflictError(sentences.get(state, "This gift card has been used up."), code=code)


def _guesser(organization: Organization) -> str:
    """What wrong codes are counted for."""
    return digest(f"gift cards of organization {organization.pk}")
