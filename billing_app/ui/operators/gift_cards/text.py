"""Gift cards, for an operator."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from billing_app.domain.catalogue import TOKEN_ID, Metric, parse_catalog
from billing_app.domain.common.moments import day
from billing_app.domain.common.texts import BYTE_ORDER_MARK, harmless
from billing_app.services.credits.views_cards import CardState, GiftCardAnswer, NewGiftCardAnswer, RedemptionAnswer
from billing_app.ui import operator_routes
from billing_app.ui.kit.formats import Formats, long_day
from billing_app.ui.kit.values import Kind, Spec, typed

STATES = {
    CardState.OPEN: ("Open", ""),
    CardState.USED_UP: ("Used up", ""),
    CardState.EXPIRED: ("Expired", ""),
    CardState.VOID: ("Void", "blocked"),
}


@dataclass(frozen=True)
class HeldRow:
    """A metric that a card may hold."""

    id: str = ""
    name: str = ""
    unit: str = ""


@dataclass(frozen=True)
class CardRow:
    """One card."""

    id: str = ""
    name: str = ""
    hint: str = ""
    holds: str = ""
    redeemed: str = ""
    ends: str = ""
    made: str = ""
    state: str = ""
    tone: str = ""
    open: bool = False
    note: str = ""


@dataclass(frozen=True)
class RedeemerRow:
    """Who redeemed the opened card."""

    name: str = ""
    when: str = ""
    href: str = ""


@dataclass(frozen=True)
class GiftCardsScreen:
    """The page of gift cards."""

    ready: bool = False
    rows: list[CardRow] = field(default_factory=list)
    holds: list[HeldRow] = field(default_factory=list)
    next_href: str = ""
    first_href: str = ""


def gift_cards_screen(
    cards: Sequence[GiftCardAnswer], next_cursor: str, document: Mapping[str, Any], formats: Formats, cursor: str
) -> GiftCardsScreen:
    """The list as the screen has it."""
    current = parse_catalog(document, "catalogue", stored=True)
    metrics = {metric.id: metric for metric in (*current.metrics, current.metric(TOKEN_ID))}
    return GiftCardsScreen(
        ready=True,
        rows=[_row(card, metrics, formats) for card in cards],
        holds=[HeldRow(each.id, each.name, "" if each.counts else each.display_unit) for each in metrics.values()],
        next_href=operator_routes.gift_cards(cursor=next_cursor) if next_cursor else "",
        first_href=operator_routes.gift_cards() if cursor else "",
    )


def _row(card: GiftCardAnswer, metrics: Mapping[str, Metric], formats: Formats) -> CardRow:
    state, tone = STATES[card.state]
    return CardRow(
        id=str(card.id),
        name=card.name,
        hint=card.hint,
        holds=", ".join(_held(metrics.get(name), name, quantity, formats) for name, quantity in card.contents.items()),
        redeemed=f"{formats.number(card.redemptions)} of {formats.number(card.max_redemptions)}",
        ends=long_day(card.expires_at) if card.expires_at else "never",
        made=long_day(card.created_at),
        state=state,
        tone=tone,
        open=card.state is CardState.OPEN,
        note=card.void_reason,
    )


def _held(metric: Metric | None, name: str, quantity: int, formats: Formats) -> str:
    if metric is None:
        return f"{formats.number(quantity)} {name}"
    size = formats.size(metric, quantity)
    return f"{size} {metric.name}" if metric.counts else f"{size} of {metric.name}"


def redeemer_rows(found: Sequence[RedemptionAnswer]) -> list[RedeemerRow]:
    """Who redeemed a card."""
    return [
        RedeemerRow(each.name, long_day(each.redeemed_at), operator_routes.organization(each.address)) for each in found
    ]


def contents_typed(form: Mapping[str, str], holds: Sequence[HeldRow], document: Mapping[str, Any]) -> dict[str, int]:
    """What a new card holds, in base units; what is not a figure is -1, which is refused with its name."""
    factors = {str(metric["id"]): int(metric["factor"]) for metric in document.get("metrics", ())}
    found: dict[str, int] = {}
    for each in holds:
        text = form.get(f"holds {each.id}", "").strip()
        if text:
            value = typed(text, Spec(Kind.NUMBER, factor=factors.get(each.id, 1)))
            found[each.id] = value if isinstance(value, int) else -1
    return found


def whole(text: str, absent: int) -> int:
    """A whole number that somebody typed; -1 for what is none."""
    value = typed(text, Spec(Kind.NUMBER)) if text.strip() else absent
    return value if isinstance(value, int) else -1


def codes_csv(cards: Sequence[NewGiftCardAnswer]) -> str:
    """The codes as a file: the only place that ever has them all. A name that a spreadsheet would compute is text."""
    buffer = io.StringIO()
    buffer.write(BYTE_ORDER_MARK)
    writer = csv.writer(buffer)
    writer.writerow(["code", "name", "expires_at"])
    for card in cards:
        writer.writerow([card.code, harmless(card.name), _moment(card.expires_at)])
    return buffer.getvalue()


def _moment(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def first_moment(text: str) -> datetime | None:
    """The moment that a day begins, UTC; None for nothing. Raises InvalidError `invalid_moment`."""
    if not text.strip():
        return None
    return day(text.strip())
