"""All organizations, for an operator."""

from __future__ import annotations

from dataclasses import dataclass, field

from billing_app.services.views.operator import OrganizationsView
from billing_app.ui import operator_routes
from billing_app.ui.formats import Formats


@dataclass(frozen=True)
class OrganizationRow:
    """One organization."""

    name: str = ""
    address: str = ""
    plan: str = ""
    members: str = ""
    blocked: bool = False
    href: str = ""


@dataclass(frozen=True)
class OrganizationsShown:
    """One page of the list."""

    ready: bool = False
    search: str = ""
    rows: list[OrganizationRow] = field(default_factory=list)
    next_href: str = ""
    first_href: str = ""


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
                blocked=line.blocked,
                href=operator_routes.organization(line.address),
            )
            for line in view.organizations
        ],
        next_href=operator_routes.organizations(search=search, cursor=view.next_cursor) if view.next_cursor else "",
        first_href=operator_routes.organizations(search=search) if cursor else "",
    )
