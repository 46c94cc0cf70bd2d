"""The organization object of the source, and the page that shows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import TOKEN
from billing_app.domain.common.access import MONEY_ROLES, Role
from billing_app.domain.common.errors import NotFoundError
from billing_app.domain.common.periods import period_containing
from billing_app.domain.organizations.limits import Limit
from billing_app.services.access import api_keys, members, sessions
from billing_app.services.catalogue import versions
from billing_app.services.common import audit, cursors, payers
from billing_app.services.common.context import Context
from billing_app.services.credits import tokens
from billing_app.services.limits import limits
from billing_app.services.organizations import children, profiles
from billing_app.services.organizations.views import (
    AuditPage,
    CountsAnswer,
    MoneyView,
    OrganizationPageView,
    ProfileView,
)
from billing_app.services.purchases import endings
from billing_app.services.usage import accounts, sources
from billing_app.settings import Settings
from billing_app.store.access import users as user_store
from billing_app.store.organizations import organizations as org_store
from billing_app.store.organizations import tree
from billing_app.store.purchases import subscriptions
from billing_app.store.tables.organizations import Organization

SMS, EMAILS = "sms", "emails"
"""The metrics whose use is told as SMS and e-mail reminders; a catalogue without them has none."""

ENTRIES = 50
"""Lines of the audit log on one page."""

MAX_MEMBERS = 500
"""Members that one page lists: more than any plan sold has, and the API lists them all."""


def profile(context: Context, *, money: bool) -> ProfileView:
    """The organization with its counts; `money` adds what only those see who buy."""
    session, organization, now = context.session, context.organization, context.now
    payer = payers.payer(session, organization, now)
    plan = limits.plan_in_force(session, payer, now)
    return ProfileView(
        address=organization.address,
        name=organization.name,
        profile={name: getattr(organization, name) for name in profiles.FIELDS if name != "name"},
        active=organization.active,
        parents=tuple((each.address, each.name) for each in tree.ancestors(session, organization)),
        plan=plan.id,
        plan_name=plan.name,
        payer=payer.address,
        payer_name=payer.name,
        created_at=organization.created_at,
        counts=_counts(context, payer),
        money=_money(context) if money else None,
        subdomain_in_use=profiles.subdomain_in_use(context),
    )


def page(
    session: Session,
    access: sessions.Access,
    settings: Settings,
    now: datetime,
    *,
    cursor: str = "",
    action: str = "",
) -> OrganizationPageView:
    """What this person may see of the organization's page. `cursor` and `action` choose entries of the audit log."""
    organization, role = access.organization, access.role
    admin = role in (Role.ADMIN, Role.OPERATOR)
    owner = organization.pk
    return OrganizationPageView(
        now=now,
        role=role,
        person_id=str(access.identity.user_id),
        profile=profile(Context(session, organization, now), money=role in MONEY_ROLES or role is Role.OPERATOR),
        limits=limits.usage(Context(session, organization, now)),
        members=tuple(members.every(session, organization, limit=MAX_MEMBERS)),
        parts=children.below(Context(session, organization, now)),
        keys=tuple(api_keys.every(session, owner)) if admin else (),
        audit=audit_page(session, owner, now, cursor, action) if admin else AuditPage((), ""),
        public_url=settings.public_url,
        ending=endings.look(Context(session, organization, now)) if admin else None,
    )


def audit_page(
    session: Session, organization_id: int | None, now: datetime, cursor: str = "", action: str = "", actor: str = ""
) -> AuditPage:
    """Entries of one organization, or (None) of all, the newest first. Raises NotFoundError `cursor_not_found`."""
    before = audit.place_at(cursor)
    found = audit.entries(session, organization_id, ENTRIES + 1, before=before, action=action, actor=actor)
    more = len(found) > ENTRIES
    current = versions.current(session, now)
    return AuditPage(
        entries=tuple(found[:ENTRIES]),
        next_cursor=cursors.encode(*found[ENTRIES - 1].place) if more else "",
        metrics=(*current.metrics, TOKEN),
        currency=current.currency,
    )


def audit_of(session: Session, now: datetime, address: str, who: str, cursor: str = "", action: str = "") -> AuditPage:
    """Entries for an operator: of one organization or everything, of one person or everybody.

    `who` is an e-mail address, or a name as it is written down (`system`). Nothing for an unknown address. Raises
    InvalidError `invalid_cursor`.
    """
    owner = None
    if address:
        found = org_store.by_address(session, address)
        if found is None:
            return AuditPage((), "")
        owner = found.pk
    person = user_store.by_email(session, who) if who else None
    return audit_page(session, owner, now, cursor, action, who if person is None else f"user:{person.id}")


def _counts(context: Context, payer: Organization) -> CountsAnswer:
    session, organization, now = context.session, context.organization, context.now
    alone = [organization.pk]

    def there_are(limit: Limit) -> int:
        return limits.count(session, limit, alone, now)

    used = _used(context, payer)
    return CountsAnswer(
        members=there_are(Limit.MEMBERSHIPS),
        sub_orgs=there_are(Limit.SUB_ORGS),
        processes=there_are(Limit.PROCESSES),
        drafts=there_are(Limit.DRAFTS),
        census_size=there_are(Limit.CENSUS),
        sms_used=used(SMS),
        email_reminders_used=used(EMAILS),
    )


def _used(context: Context, payer: Organization) -> Callable[[str], int]:
    """The running period's use of a metric by this organization."""
    session, organization, now = context.session, context.organization, context.now
    current = versions.current(session, now)

    def used(metric_id: str) -> int:
        try:
            metric = current.metric(metric_id)
        except NotFoundError:
            return 0
        if payer.id == organization.id:
            return accounts.account(session, organization, metric_id, now).used
        return sources.used_by(session, payer, organization, metric, period_containing(payer.anchor, now))

    return used


def _money(context: Context) -> MoneyView:
    session, organization = context.session, context.organization
    held = subscriptions.current(session, organization.pk)
    running = held is not None and held.ended_at is None
    ending = held is not None and (held.cancel_at_period_end or held.cancel_at is not None)
    consumed = tokens.consumed(context)
    return MoneyView(
        stripe_customer_id=organization.stripe_customer_id,
        stripe_subscription_id=held.id if held is not None and running else None,
        monthly_consumed_tokens=consumed.monthly,
        yearly_consumed_tokens=consumed.yearly,
        subscribed_at=held.started_at if held is not None and running else None,
        renews_at=held.period_end if held is not None and running and not ending else None,
    )
