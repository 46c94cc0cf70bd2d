"""What an operator may do by hand for one organization: read together for its dialogs. Reads only."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import TOKEN, VotingType
from billing_app.domain.organizations.limits import Limit
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.credits import statements
from billing_app.services.limits.overrides import Kind
from billing_app.services.operators.views_manual import HandsView
from billing_app.services.usage import accounts
from billing_app.store.organizations import overrides as override_store
from billing_app.store.organizations.organizations import stored_id


def look(session: Session, address: str, now: datetime) -> HandsView:
    """Everything to choose from. Raises NotFoundError `organization_not_found`."""
    organization = organizations.by_address(session, address)
    owner = stored_id(organization)
    current = versions.current(session, now)
    found = statements.grants(session, organization, now)
    choices = [(Kind.LIMIT.value, limit.value, limit.value) for limit in Limit]
    choices += [(Kind.FEATURE.value, each.id, each.name) for each in current.features]
    choices += [(Kind.VOTING_TYPE.value, each.value, f"{each.value.title()} voting") for each in VotingType]
    return HandsView(
        metrics=(*current.metrics, TOKEN),
        plans=tuple((plan.id, plan.name) for plan in current.plans if not plan.retired),
        plan=accounts.plans(session, owner).plan_at(now),
        grants=tuple(
            (each.row.id, current.metric(each.row.metric), each.account.left, each.row.reason)
            for each in found
            if each.account.left
        ),
        overrides=tuple(
            (row.kind, row.name, row.value, row.ends_at) for row in override_store.in_force(session, owner, now)
        ),
        choices=tuple(choices),
    )
