"""What operators look for, and make: organizations."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.domain.common.texts import required_reason
from billing_app.services.catalogue import versions
from billing_app.services.common import audit, cursors
from billing_app.services.common import organizations as orgs
from billing_app.services.common import payers as paying
from billing_app.services.common.context import Context
from billing_app.services.credits import grants
from billing_app.services.operators import account_issues
from billing_app.services.operators.views import AccountIssue, OrganizationLineAnswer, OrganizationsView
from billing_app.services.subscriptions import subscriptions
from billing_app.services.usage import plans_in_force
from billing_app.store.operators import search as org_search
from billing_app.store.tables.organizations import Organization

__all__ = ["MAX_SEARCH", "make", "organizations", "set_plan"]

PAGE = 50
"""Organizations of a page (api.md, Lists)."""

MAX_SEARCH = 200
"""Characters of a search: names are not longer."""


def organizations(session: Session, search: str, cursor: str, now: datetime) -> OrganizationsView:
    """Organizations whose name or address has `search` in it, or whose customer at Stripe it is.

    Those with something wrong come first, then by name. Raises NotFoundError `cursor_not_found`.
    """
    found = org_search.worst_first(
        session, search.strip()[:MAX_SEARCH], cursors.decode(cursor, int, str, str), PAGE + 1
    )
    page = [organization for organization, _ in found[:PAGE]]
    payers = {each.pk: paying.payer(session, each, now) for each in page}
    members = org_search.member_counts(session, list(payers))
    paid_for = {payer.pk: payer for payer in payers.values()}
    held = plans_in_force.plans_of_many(session, paid_for.values())
    wrong = account_issues.of(session, set(paid_for), now, held)
    next_cursor = cursors.encode(found[PAGE - 1][1], page[-1].name, page[-1].address) if len(found) > PAGE else ""
    return OrganizationsView(
        organizations=tuple(
            # A sub-organization without a plan of its own has the plan, and the stops, of its payer.
            OrganizationLineAnswer(
                address=each.address,
                name=each.name,
                plan_name=held[payer.pk].held_at(now).name,
                blocked=any(issue.kind is AccountIssue.BLOCKED for issue in wrong.get(payer.pk, ())),
                troubles=wrong.get(payer.pk, ()),
                members=members[owner],
                payer_name="" if payer.id == owner else payer.name,
            )
            for each, (owner, payer) in zip(page, payers.items(), strict=True)
        ),
        now=now,
        next_cursor=next_cursor,
    )


def make(
    session: Session,
    now: datetime,
    *,
    name: str = "",
    address: str | None = None,
    plan: str | None = None,
    anchor: datetime | None = None,
    actor: str,
) -> Organization:
    """A new organization without members, on `plan` or the default one.

    Raises as `orgs.create`, NotFoundError `plan_not_found`.
    """
    chosen = versions.current(session, now).plan(plan).id if plan else ""
    made = orgs.create(session, now, name=name, address=address, anchor=anchor)
    after = {"name": made.name, "plan": chosen or "default"}
    audit.record(session, made.pk, now, actor, "organization.created", made.address, after=after)
    if chosen:
        grants.change_plan(Context(session, made, now, actor), chosen, reason="Chosen when it was made")
    return made


def set_plan(context: Context, plan: str, *, reason: str) -> None:
    """Sets an organization's plan manually, from now on. A subscription at Stripe goes on as it is.

    What is billed at a price that nobody knows is of this plan from then on. Raises NotFoundError `plan_not_found`,
    InvalidError `reason_required`.
    """
    session, organization = context.session, context.organization
    why = required_reason(reason)
    grants.change_plan(context, plan, reason=why)
    subscriptions.decide(session, organization, plan)
