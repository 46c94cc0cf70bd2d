"""Which plan is in force when, and what it includes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from billing_app.domain.catalogue import TOKEN, Catalog, Plan, PlanLimits, PlanPrices
from billing_app.domain.credits.facts import Allowance, Policy
from billing_app.domain.organizations.tree import NO_PLAN
from billing_app.domain.purchases.subscriptions import PastDue, past_due
from billing_app.services.catalogue import versions as catalogs
from billing_app.store.common.questions import Asking, many, one
from billing_app.store.credits.grants import HeldPlan, PlanChanges
from billing_app.store.purchases.subscriptions import PastDueChanges, PastDueFact
from billing_app.store.tables.organizations import Organization

NOTHING = Plan(
    id=NO_PLAN,
    name="No plan of its own",
    description="",
    stripe_plan_id=None,
    prices=PlanPrices(None, None),
    trial_days=0,
    default=False,
    public=False,
    limits=PlanLimits(0, 0, 0, 0, custom_url=False, drafts=0),
    voting_types=frozenset(),
    features=frozenset(),
    included={},
)
"""What a child organization holds while it has no plan of its own: somebody above it pays (rule 14)."""


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans that an organization held and the catalogues that said what they include, both by time.

    `past_due` are the periods in which its plan was not paid: then the default plan is in force sooner or later
    (docs/decisions/0006). A child organization has no plan before its first one (rule 14). This is the one place that
    says which plan is in force when.
    """

    held: tuple[HeldPlan, ...]
    catalogs: tuple[tuple[datetime, Catalog], ...]
    past_due: tuple[PastDue, ...] = ()
    child: bool = False

    def subscribed_at(self, moment: datetime) -> str:
        """The id of the plan chosen at `moment`, paid for or not; the first one has always been (fine point 3)."""
        first = self.held[0].plan if self.held else self.catalog_at(moment).default_plan.id
        current = NO_PLAN if self.child else first
        for change in self.held:
            if change.at <= moment:
                current = change.plan
        return current

    def plan_at(self, moment: datetime) -> str:
        """The id of the plan in force at `moment`: the one held, or the default one once the grace is over."""
        return self._unless(any(each.limits_fell(moment) for each in self.past_due), moment)

    def _unless(self, fell: bool, moment: datetime) -> str:
        held = self.subscribed_at(moment)
        return self.catalog_at(moment).default_plan.id if fell and held != NO_PLAN else held

    def catalog_at(self, moment: datetime) -> Catalog:
        """The catalogue in force at `moment`; the first one always was."""
        current = self.catalogs[0][1]
        for at, catalog in self.catalogs:
            if at <= moment:
                current = catalog
        return current

    def allowances(self, metric: str) -> tuple[Allowance, ...]:
        """What the organization held of a metric over time: every change of plan or catalogue that changes it."""
        found: list[Allowance] = []
        for moment in sorted(self._moments()):
            quantity = self.counted_at(moment).allowance(metric)
            if not found or found[-1].quantity != quantity:
                found.append(Allowance(moment, quantity))
        return tuple(found)

    def held_at(self, moment: datetime) -> Plan:
        """The plan in force at `moment`, as the catalogue of then says it: its limits and features hold."""
        return self._plan(self.plan_at(moment), moment)

    def counted_at(self, moment: datetime) -> Plan:
        """The plan whose allowance counts at `moment`."""
        return self._plan(self._unless(any(each.allowance_fell(moment) for each in self.past_due), moment), moment)

    def _moments(self) -> set[datetime]:
        """When an allowance may change."""
        past_due_moments = (each.moments for each in self.past_due)
        return {change.at for change in self.held} | {at for at, _ in self.catalogs} | set().union(*past_due_moments)

    def largest(self, metric: str, start: datetime, until: datetime) -> Plan:
        """Of the plans held in `[start, until]` the one whose allowance counts: the largest, the latest of equals."""
        within = sorted(moment for moment in self._moments() if start < moment <= until)
        plans = [self.counted_at(moment) for moment in (start, *within)]
        unlimited = [plan for plan in plans if plan.allowance(metric) is None]
        return unlimited[-1] if unlimited else max(reversed(plans), key=lambda plan: plan.allowance(metric) or 0)

    def _plan(self, plan_id: str, moment: datetime) -> Plan:
        """What a plan says at `moment`; before the first catalogue that has it, what that one says."""
        if plan_id == NO_PLAN:
            return NOTHING
        in_force = self.catalog_at(moment)
        later = (catalog for at, catalog in self.catalogs if at > moment)
        for catalog in (in_force, *later):
            for plan in catalog.plans:
                if plan.id == plan_id:
                    return plan
        return in_force.plan(plan_id)

    def policies(self, metric: str) -> tuple[Policy, ...]:
        """The metric's policies over time, from the first catalogue that has it."""
        found: list[Policy] = []
        for at, catalog in self.catalogs:
            if metric != TOKEN.id and metric not in catalog.metric_ids:
                continue
            rule = catalog.metric(metric)
            if not found or (found[-1].deficit, found[-1].refund_shortfall) != (rule.deficit, rule.refund_shortfall):
                found.append(Policy(at, rule.deficit, rule.refund_shortfall))
        return tuple(found)


def plans(session: Session, organization_id: int, known_at: datetime | None = None) -> Plans:
    """The organization's plans with the catalogues that define them, and when those were past due."""
    organization = session.get_one(Organization, organization_id)
    return one(session, plans_of(organization, tuple(catalogs.timeline(session)), known_at))


def plans_of_many(session: Session, organizations: Iterable[Organization]) -> dict[int, Plans]:
    """The plans of each by id, by as many statements as those of one."""
    asked = list(organizations)
    timeline = tuple(catalogs.timeline(session))
    found = many(session, [plans_of(each, timeline) for each in asked])
    return {each.pk: plans for each, plans in zip(asked, found, strict=True)}


def plans_of(
    organization: Organization, timeline: tuple[tuple[datetime, Catalog], ...], known_at: datetime | None = None
) -> Asking[Plans]:
    """The same beside other organizations; `timeline` are the catalogues that have held."""
    owner = organization.pk
    held: list[HeldPlan] = sorted((yield PlanChanges(owner, known_at)), key=lambda change: (change.at, change.number))
    found = Plans(tuple(held), timeline, child=organization.parent_id is not None)
    changes: list[PastDueFact] = yield PastDueChanges(owner, known_at)
    if not changes:
        return found
    anchor, grace = organization.anchor, lambda at: found.catalog_at(at).grace_days
    return replace(found, past_due=past_due(((row.at, row.past_due) for row in changes), anchor, grace))
