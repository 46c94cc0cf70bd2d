"""Grants as rows: name, what is left, when it ends, and which months burned it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billing_app.domain.catalogue.model import Metric
from billing_app.services.credits.views import GrantStatus, GrantView
from billing_app.ui.kit.formats import Formats, in_days, long_day, month
from billing_app.ui.kit.records import grant_name, grant_note

SOON = timedelta(days=30)
BURNS = 4
"""How many months a row names; older ones are summed up."""

BADGES = {
    GrantStatus.BURNING: ("Burning now", "credits"),
    GrantStatus.NEXT: ("Next", "quiet"),
    GrantStatus.PENDING: ("Not yet valid", "quiet"),
    GrantStatus.HELD: ("On hold", "soon"),
    GrantStatus.EXPIRED: ("Ended", "quiet"),
    GrantStatus.VOIDED: ("Voided", "quiet"),
    GrantStatus.REFUNDED: ("Refunded", "quiet"),
}
"""What is waiting or used up needs no badge: its figures say so."""


@dataclass(frozen=True)
class GrantRow:
    """One grant."""

    id: str = ""
    name: str = ""
    note: str = ""
    badge: str = ""
    badge_tone: str = ""
    left: str = ""
    quantity: str = ""
    burned_share: str = "0%"
    gone_share: str = "0%"
    bar_label: str = ""
    start: str = ""
    end: str = ""
    end_note: str = ""
    end_tone: str = ""
    burns: list[str] = field(default_factory=list)
    dim: bool = False
    href: str = ""


def grant_row(grant: GrantView, metric: Metric, now: datetime, href: str, formats: Formats) -> GrantRow:
    """The row of one grant."""
    badge, tone = BADGES.get(grant.status, ("", ""))
    gone = grant.expired + grant.voided + grant.clawed_back
    spendable = grant.left > 0 or grant.held > 0 or grant.status is GrantStatus.PENDING
    end_note, end_tone = _end_note(grant, metric, now, formats)
    return GrantRow(
        id=grant.id,
        name=grant_name(grant.label, metric, formats),
        note=", ".join([grant_note(grant.label, formats), *_went_back(grant, metric, formats)]),
        badge=badge,
        badge_tone=tone,
        left=formats.quantity(metric, grant.left) if grant.left else "0",
        quantity=formats.size(metric, grant.quantity),
        burned_share=_share(grant.burned, grant.quantity),
        gone_share=_share(gone, grant.quantity),
        bar_label=f"{formats.quantity(metric, grant.burned)} of {formats.size(metric, grant.quantity)} burned",
        start=long_day(grant.effective_at),
        end=long_day(grant.expires_at) if grant.expires_at else "never",
        end_note=end_note,
        end_tone=end_tone,
        burns=_burns(grant, metric, formats),
        dim=not spendable,
        href=href,
    )


def _went_back(grant: GrantView, metric: Metric, formats: Formats) -> list[str]:
    """What a refund or a dispute did to it, beyond what its badge says: "400 taken back", "80 owed"."""
    words = []
    if grant.clawed_back and grant.status is not GrantStatus.REFUNDED:
        words.append(f"{formats.quantity(metric, grant.clawed_back)} taken back")
    if grant.debt:
        words.append(f"{formats.quantity(metric, grant.debt)} owed")
    if grant.held:
        words.append("payment disputed")
    return words


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}%" if whole else "0%"


def _end_note(grant: GrantView, metric: Metric, now: datetime, formats: Formats) -> tuple[str, str]:
    if grant.held:
        return f"{formats.quantity(metric, grant.held)} on hold", "soon"
    if grant.expired:
        return f"{formats.quantity(metric, grant.expired)} ended unused", ""
    if grant.expires_at is None or not grant.left:
        return "", ""
    return in_days(grant.expires_at, now), "soon" if grant.expires_at - now <= SOON else ""


def _burns(grant: GrantView, metric: Metric, formats: Formats) -> list[str]:
    """ "Sep 10,720", "Oct 4,870"; the oldest ones as "earlier 9,490"."""
    if not grant.burns:
        return ["not yet valid"] if grant.status is GrantStatus.PENDING else ["not yet used"]
    older, newer = grant.burns[:-BURNS], grant.burns[-BURNS:]
    if len(older) == 1:
        older, newer = (), grant.burns[-BURNS - 1 :]
    words = [f"{month(burn.period)} {formats.quantity(metric, burn.quantity)}" for burn in newer]
    total = sum(burn.quantity for burn in older)
    return [f"earlier {formats.quantity(metric, total)}", *words] if older else words
