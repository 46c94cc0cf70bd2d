"""All organizations, for an operator."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from billing_app.services.operators.views import AccountIssue, OrganizationsView, TroubleAnswer
from billing_app.ui import operator_routes
from billing_app.ui.kit.formats import Formats, day

LABELS = {
    AccountIssue.BLOCKED: ("Blocked", "blocked"),
    AccountIssue.PAST_DUE: ("Past due", "soon"),
    AccountIssue.DISPUTED: ("Dispute", "soon"),
    AccountIssue.SECOND_SUBSCRIPTION: ("Two subscriptions", "blocked"),
    AccountIssue.UNKNOWN_PRICE: ("Unknown price", "soon"),
    AccountIssue.PLAN_LOST: ("Plan's payment lost", "blocked"),
    AccountIssue.PACK_LOST: ("Pack's payment lost", "blocked"),
    AccountIssue.NOT_COLLECTED: ("Not collected", "soon"),
    AccountIssue.GIVEN_UP: ("Invoice given up", "soon"),
    AccountIssue.IN_DEBT: ("In debt", "blocked"),
}


@dataclass(frozen=True)
class IssueRow:
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
    issues: list[IssueRow] = field(default_factory=list)
    href: str = ""


@dataclass(frozen=True)
class OrganizationsScreen:
    """One page of the list."""

    ready: bool = False
    search: str = ""
    rows: list[OrganizationRow] = field(default_factory=list)
    next_href: str = ""
    first_href: str = ""


def issue_rows(issues: tuple[TroubleAnswer, ...], formats: Formats, now: datetime) -> list[IssueRow]:
    """What is wrong with an organization, the worst first."""
    return [IssueRow(*LABELS[each.kind], _note(each, formats, now)) for each in issues]


def _note(issue: TroubleAnswer, formats: Formats, now: datetime) -> str:
    if issue.currency:
        return formats.money(issue.amount_cents, issue.currency.upper())
    if issue.kind is AccountIssue.PAST_DUE:
        if issue.at is None:
            return ""
        return f"plan stays until {day(issue.at, now)}" if issue.at > now else f"plan ended {day(issue.at, now)}"
    return ", ".join(issue.metrics)


def organizations_screen(view: OrganizationsView, formats: Formats, search: str, cursor: str) -> OrganizationsScreen:
    """The list as the screen has it."""
    return OrganizationsScreen(
        ready=True,
        search=search,
        rows=[
            OrganizationRow(
                name=line.name,
                address=line.address,
                plan=f"{line.plan_name}, paid by {line.payer_name}" if line.payer_name else line.plan_name,
                members=formats.number(line.members),
                issues=issue_rows(line.troubles, formats, view.now),
                href=operator_routes.organization(line.address),
            )
            for line in view.organizations
        ],
        next_href=operator_routes.organizations(search=search, cursor=view.next_cursor) if view.next_cursor else "",
        first_href=operator_routes.organizations(search=search) if cursor else "",
    )
