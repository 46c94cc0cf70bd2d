"""The frame around a page: switcher, navigation, person."""

from __future__ import annotations

from dataclasses import dataclass, field

from billing_app.domain.access import Role
from billing_app.services.views import ShellView
from billing_app.ui import operator_routes, routes


@dataclass(frozen=True)
class SwitchLine:
    """One organization of the switcher."""

    name: str = ""
    plan: str = ""
    initial: str = ""
    href: str = ""
    here: bool = False
    blocked: bool = False


@dataclass(frozen=True)
class ShellShown:
    """What the frame says. The defaults are what is shown before anything is known."""

    address: str = ""
    name: str = ""
    plan: str = ""
    initial: str = ""
    person: str = ""
    email: str = ""
    role: str = ""
    blocked: bool = False
    test_mode: bool = False
    money: bool = False
    """This person may see the ledger and buy."""
    buying: str = ""
    """Empty when this person can buy now; else the reason why not."""
    organizations: list[SwitchLine] = field(default_factory=list)
    more: str = ""
    overview_href: str = ""
    usage_href: str = ""
    credits_href: str = ""
    buy_href: str = ""
    ledger_href: str = ""
    plan_href: str = ""
    features_href: str = ""
    processes_href: str = ""
    organization_href: str = ""
    alerts_href: str = ""
    """Empty for who may not open it."""
    operator_href: str = ""
    """The operator's page of this organization; empty for everybody else."""


def shell_shown(view: ShellView) -> ShellShown:
    """The frame of an organization."""
    here = view.organization
    return ShellShown(
        address=here.address,
        name=here.name,
        plan=f"{here.plan_name} plan",
        initial=_initial(here.name),
        person=view.person_name or view.person_email,
        email=view.person_email,
        role=view.role.capitalize(),
        blocked=here.blocked,
        test_mode=view.test_mode,
        money=view.may_buy,
        buying=why_not_buying(view),
        organizations=[
            SwitchLine(
                name=link.name,
                plan=f"{link.plan_name} plan",
                initial=_initial(link.name),
                href=routes.overview(link.address),
                here=link.address == here.address,
                blocked=link.blocked,
            )
            for link in view.organizations
        ],
        more=f"and {view.more_organizations} more" if view.more_organizations else "",
        overview_href=routes.overview(here.address),
        usage_href=routes.usage(here.address),
        credits_href=routes.credits(here.address),
        buy_href=routes.buy(here.address),
        ledger_href=routes.ledger(here.address) if view.may_buy else "",
        plan_href=routes.plan(here.address) if view.may_buy else "",
        features_href=routes.features(here.address),
        processes_href=routes.processes(here.address),
        organization_href=routes.organization_page(here.address),
        alerts_href=routes.alerts(here.address) if view.role in (Role.ADMIN, Role.OPERATOR) else "",
        operator_href=operator_routes.organization(here.address) if view.role == Role.OPERATOR else "",
    )


def why_not_buying(view: ShellView) -> str:
    """Why this person cannot buy; empty when they can."""
    if not view.may_buy:
        return "Your role here cannot buy. Ask an admin or somebody with the role billing."
    if not view.selling:
        return "Payments are not set up on this server, so nothing can be bought."
    return ""


def _initial(name: str) -> str:
    return next((letter.upper() for letter in name if letter.isalnum()), "?")
