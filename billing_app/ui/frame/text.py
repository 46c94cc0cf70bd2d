"""The frames around pages of organizations and of operators: switcher, navigation, person."""

from __future__ import annotations

from dataclasses import dataclass, field

from billing_app.domain.common.access import Role
from billing_app.services.overview.views_frame import FrameView, OperatorFrameView, OrganizationLink
from billing_app.ui import operator_routes, routes
from billing_app.ui.kit.formats import initial

NOT_SELLING = "Payments are not set up on this server, so nothing can be bought."


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
class FrameScreen:
    """What an organization's frame says. The defaults are what is shown before anything is known."""

    address: str = ""
    name: str = ""
    plan: str = ""
    initial: str = ""
    person: str = ""
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
    may_create: bool = False
    payer: str = ""
    """Who pays for this organization, if another does."""
    payer_href: str = ""
    """Its overview; empty for who may not see it."""
    payer_buy_href: str = ""
    """Where credits are bought for both; empty for who may not."""
    keeps_credits: bool = False
    """It has credits of a time when it paid for itself."""


@dataclass(frozen=True)
class OperatorFrameScreen:
    """What operators' frame says. The defaults are what is shown before anything is known."""

    person: str = ""
    test_mode: bool = False
    home_href: str = ""
    """Back to an organization of theirs; empty without any."""
    given_up: str = ""
    """How many of Stripe's events need a person; empty for none."""
    given_up_href: str = operator_routes.stripe_events(state="given_up")


def frame_screen(view: FrameView) -> FrameScreen:
    """The frame of an organization."""
    here, payer = view.organization, view.payer
    return FrameScreen(
        address=here.address,
        name=here.name,
        plan=_plan(here),
        initial=initial(here.name),
        person=view.person_name or view.person_email,
        role=view.role.capitalize(),
        blocked=here.blocked,
        test_mode=view.test_mode,
        money=view.may_buy,
        buying=why_not_buying(view),
        organizations=[
            SwitchLine(
                name=link.name,
                plan=_plan(link),
                initial=initial(link.name),
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
        buy_href=routes.buy(buying_address(view)),
        ledger_href=routes.ledger(here.address) if view.may_buy else "",
        plan_href=routes.plan(here.address) if view.may_buy else "",
        features_href=routes.features(here.address),
        processes_href=routes.processes(here.address),
        organization_href=routes.organization_page(here.address),
        alerts_href=routes.alerts(here.address) if view.role in (Role.ADMIN, Role.OPERATOR) else "",
        operator_href=operator_routes.organization(here.address) if view.role == Role.OPERATOR else "",
        may_create=view.may_create,
        payer=payer.name if payer else "",
        payer_href=routes.overview(payer.address) if payer and payer.visible else "",
        payer_buy_href=routes.buy(payer.address) if payer and payer.may_buy else "",
        keeps_credits=payer is not None and payer.keeps_credits,
    )


def operator_frame_screen(view: OperatorFrameView) -> OperatorFrameScreen:
    """The frame of an operator."""
    return OperatorFrameScreen(
        person=view.person_name or view.person_email,
        test_mode=view.test_mode,
        home_href=routes.overview(view.home) if view.home else "",
        given_up=_given_up(view.given_up),
    )


def buying_address(view: FrameView) -> str:
    """Where credits for this organization are bought: with its payer, if this person may do that there."""
    return view.payer.address if view.payer and view.payer.may_buy else view.organization.address


def why_not_buying(view: FrameView) -> str:
    """Why this person cannot buy credits; empty when they can."""
    if view.payer is None:
        return why_not_paying(view)
    if not view.payer.may_buy:
        return f"{view.payer.name} pays for this organization: its admins buy credits there."
    return "" if view.selling else NOT_SELLING


def why_not_paying(view: FrameView) -> str:
    """Why this person cannot pay for anything in the name of this organization; empty when they can."""
    if not view.may_buy:
        return "Your role here cannot buy. Ask an admin or somebody with the role billing."
    if not view.selling:
        return NOT_SELLING
    return ""


def _plan(link: OrganizationLink) -> str:
    return f"Paid by {link.payer_name}" if link.payer_name else f"{link.plan_name} plan"


def _given_up(count: int) -> str:
    if not count:
        return ""
    return "A Stripe event was given up" if count == 1 else f"{count:,} Stripe events were given up"
