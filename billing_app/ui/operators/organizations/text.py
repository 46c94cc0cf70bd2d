"""All organizations, for an operator."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from billing_app.services.operators.views import OrganizationsView, Trouble, TroubleView
from billing_app.ui import operator_routes
from billing_app.ui.kit.formats import Formats, day

LABELS = {
    Trouble.BLOCKED: ("Blocked", "blocked"),
    Trouble.PAST_DUE: ("Past due", "soon"),
    Trouble.DISPUTED: ("Dispute", "soon"),
    Trouble.SECOND_SUBSCRIPTION: ("Two subscriptions", "blocked"),
    Trouble.UNKNOWN_PRICE: ("Unknown price", "soon"),
    Trouble.PLAN_LOST: ("Plan's payment lost", "blocked"),
    Trouble.PACK_LOST: ("Pack's payment lost", "blocked"),
    Trouble.NOT_COLLECTED: ("Not collected", "soon"),
    Trouble.GIVEN_UP: ("Invoice given up", "soon"),
    Trouble.IN_DEBT: ("In debt", "blocked"),
}


@dataclass(frozen=True)
class TroubleShown:
    """One thing that is wrong, and with what."""

    label: str = ""
    tone: str = ""
    note: str = ""


@dataclass(frozen=True)
class OrganizationRow:
    """One organization."""

    name: str = ""
    address: str = ""
    plan: str = ""
    members: str = ""
    troubles: list[TroubleShown] = field(default_factory=list)
    href: str = ""


@dataclass(frozen=True)
class OrganizationsShown:
    """One page of the list."""

    ready: bool = False
    search: str = ""
    rows: list[OrganizationRow] = field(default_factory=list)
    next_href: str = ""
    first_href: str = ""


def troubles_shown(troubles: tuple[TroubleView, ...], formats: Formats, now: datetime) -> list[TroubleShown]:
    """What is wrong with an organization, the worst first."""
    return [TroubleShown(*LABELS[each.kind], _note(each, formats, now)) for each in troubles]


def _note(trouble: TroubleView, formats: Formats, now: datetime) -> str:
    if trouble.currency:
        return formats.money(trouble.amount_cents, trouble.currency.upper())
    if trouble.kind is Trouble.PAST_DUE:
        if trouble.at is None:
            return ""
        return f"plan stays until {day(trouble.at, now)}" if trouble.at > now else f"plan ended {day(trouble.at, now)}"
    return ", ".join(trouble.metrics)


def organizations_shown(view: OrganizationsView, formats: Formats, search: str, cursor: str) -> OrganizationsShown:
    """The list as it is shown."""
    return OrganizationsShown(
        ready=True,
        search=search,
        rows=[
            OrganizationRow(
                name=line.name,
                address=line.address,
                plan=f"{line.plan_name}, paid by {line.payer_name}" if line.payer_name else line.plan_name,
                members=formats.number(line.members),
                troubles=troubles_shown(line.troubles, formats, view.now),
                href=operator_routes.organization(line.address),
            )
            for line in view.organizations
        ],
        next_href=operator_routes.organizations(search=search, cursor=view.next_cursor) if view.next_cursor else "",
        first_href=operator_routes.organizations(search=search) if cursor else "",
    )
