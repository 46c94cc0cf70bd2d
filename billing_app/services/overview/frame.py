"""What is around every page: who looks, at which organization, and which others there are."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import Plan
from billing_app.domain.common.access import MONEY_ROLES, Role
from billing_app.domain.common.errors import NotFoundError, UnauthenticatedError
from billing_app.services.access import sessions
from billing_app.services.common import kept, organizations, payers
from billing_app.services.common.context import Context
from billing_app.services.credits import forecasts
from billing_app.services.overview.views_frame import FrameView, OperatorFrameView, OrganizationLink, PayerLink
from billing_app.services.usage import plans_in_force
from billing_app.settings import Settings
from billing_app.store.credits import grants as credit_store
from billing_app.store.notifications import outbox
from billing_app.store.stripe import inbox
from billing_app.store.tables.organizations import Organization

SHOWN = 50
"""Organizations in the switcher; a person with more is told how many there are."""


def organization_frame(session: Session, access: sessions.Access, settings: Settings, now: datetime) -> FrameView:
    """The frame of a page for one person in one organization."""
    members = sessions.organizations_of(session, access.identity)
    payer = _payer(session, access, now)
    others = [each for each in members if each.organization_id != access.organization_id]
    links = [
        _own_link(session, access.organization, now),
        *_links(session, [each.organization for each in others[: SHOWN - 1]], now),
    ]
    return FrameView(
        organization=links[0],
        organizations=tuple(sorted(links, key=lambda link: (link.name.casefold(), link.address))),
        person_name=access.identity.name,
        person_email=access.identity.email,
        role=access.role.value,
        test_mode=test_mode(settings),
        may_buy=access.may_buy,
        selling=settings.selling,
        revision=kept.revisions(session, (access.organization,))[access.organization_id],
        more_organizations=max(0, len(others) - (SHOWN - 1)),
        may_create=access.identity.only_organization_id is None,
        payer=payer,
    )


def operator_frame(session: Session, identity: sessions.Identity, settings: Settings) -> OperatorFrameView:
    """The frame of an operator's page."""
    return OperatorFrameView(
        person_name=identity.name,
        person_email=identity.email,
        test_mode=test_mode(settings),
        selling=settings.selling,
        home=home(session, identity) or "",
        given_up=inbox.given_up(session),
    )


def test_mode(settings: Settings) -> bool:
    """Whether no money moves: the demo, or a key of Stripe's test mode."""
    return settings.demo or settings.stripe_api_secret.get_secret_value().startswith(("sk_test_", "rk_test_"))


def home(session: Session, identity: sessions.Identity | None) -> str | None:
    """The address of the organization that a person lands on: the first by name. None without any.

    Raises UnauthenticatedError when nobody is signed in.
    """
    if identity is None:
        raise UnauthenticatedError("Sign in to go on.")
    members = sessions.organizations_of(session, identity)
    return members[0].address if members else None


def _own_link(session: Session, organization: Organization, now: datetime) -> OrganizationLink:
    """The organization of the page, as of its state: most pages are loaded while nothing has changed."""
    payer = payers.payer(session, organization, now)

    def read() -> kept.Fresh[OrganizationLink]:
        plans = forecasts.plans(Context(session, payer, now))
        return kept.Fresh(_link(organization, payer, plans.held_at(now), outbox.blocked(session, [payer.pk])))

    return kept.get(session, (organization, payer), now, ("link", organization.pk), read)


def _links(session: Session, shown: list[Organization], now: datetime) -> list[OrganizationLink]:
    """The others. However many there are, their plans and their stops are asked for together."""
    if not shown:
        return []
    paying = [payers.payer(session, each, now) for each in shown]
    held = plans_in_force.plans_of_many(session, paying)
    blocked = outbox.blocked(session, set(held))
    return [_link(each, payer, held[payer.pk].held_at(now), blocked) for each, payer in zip(shown, paying, strict=True)]


def _link(organization: Organization, payer: Organization, plan: Plan, blocked: set[int]) -> OrganizationLink:
    """A sub-organization without a plan of its own shows the plan, and the stops, of its payer."""
    paid_by = "" if payer.pk == organization.pk else payer.name
    return OrganizationLink(organization.address, organization.name, plan.name, paid_by, payer.pk in blocked)


def _payer(session: Session, access: sessions.Access, now: datetime) -> PayerLink | None:
    """Who else pays for the organization, as far as this person may know it."""
    found = payers.payer(session, access.organization, now)
    if found.id == access.organization_id:
        return None
    owner = found.pk
    role = _role_in(session, access.identity, found.address, now)
    return PayerLink(
        address=found.address,
        name=found.name,
        visible=role is not None,
        may_buy=role is not None and (role in MONEY_ROLES or role is Role.OPERATOR),
        revision=organizations.revisions(session, [owner])[owner],
        keeps_credits=bool(credit_store.grants(session, access.organization_id)),
    )


def _role_in(session: Session, identity: sessions.Identity, address: str, now: datetime) -> Role | None:
    try:
        return sessions.authorize(session, identity, address, now).role
    except NotFoundError:
        return None
