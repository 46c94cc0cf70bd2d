"""From the `plans` of a document to Plan objects: the shape of the source's plan object, and ours around it."""

from __future__ import annotations

from typing import Any

from billing_app.domain.catalogue.fields import MAX_TEXT_LENGTH, MISSING, Fields, Reading
from billing_app.domain.catalogue.model import Plan, PlanLimits, PlanPrices, VotingType, product_of
from billing_app.domain.common.money import MAX_AMOUNT_CENTS, amount_step

MAX_PLANS = 50
MAX_TRIAL_DAYS = 730
"""Stripe's own limit for a trial."""

MAX_LIMIT = 2**31 - 1
"""Limits count people and things that people make; more than this is meant as unlimited."""

REQUIRED = (
    "plan",
    "name",
    "description",
    "stripePlanId",
    "prices",
    "trial_days",
    "default",
    "public",
    "organization",
    "votingTypes",
    "features",
    "included",
)


def read_plans(root: Fields, currency: str, metric_ids: list[str], feature_ids: list[str]) -> tuple[Plan, ...]:
    """The plans of the document; notes repeated ids, and none or several defaults."""
    reading = root.reading
    rows = reading.rows(root.value("plans"), "plans", at_most=MAX_PLANS, at_least=1)
    plans: list[Plan] = []
    ids: dict[str, tuple[str, str]] = {}
    stripe_ids: dict[str, str] = {}
    defaults: list[str] = []
    for path, value in rows:
        plan = _plan(reading, value, path, currency, metric_ids, feature_ids)
        plans.append(plan)
        if plan.id:
            reading.claim(ids, plan.id, path, f"{path}.plan")
        if plan.stripe_plan_id and stripe_ids.setdefault(plan.stripe_plan_id, path) != path:
            reading.wrong(f"{path}.stripePlanId", f"is used already by {stripe_ids[plan.stripe_plan_id]}")
        if plan.default:
            defaults.append(path)
        if plan.default and plan.retired:
            reading.wrong(f"{path}.retired", "the default plan can't be retired; make another plan the default first")
    for path in defaults[1:]:
        reading.wrong(f"{path}.default", f"{defaults[0]} is the default already; only one plan may be")
    if rows and not defaults:
        reading.wrong("plans", 'no plan is the default; give exactly one "default": true')
    return tuple(plans)


def _plan(
    reading: Reading, value: Any, path: str, currency: str, metric_ids: list[str], feature_ids: list[str]
) -> Plan:
    fields = Fields(reading, value, path, required=REQUIRED, optional=("retired",))
    stripe_plan_id = None
    if fields.value("stripePlanId") is not None:
        stripe_plan_id = fields.text("stripePlanId", longest=255) or None
        if stripe_plan_id == product_of(str(fields.value("plan"))):
            stripe_plan_id = None  # our own product, as exports and pages name it: nothing that was given
    voting_types = _switches(fields, "votingTypes", [voting_type.value for voting_type in VotingType])
    return Plan(
        id=fields.identifier("plan"),
        name=fields.text("name"),
        description=fields.text("description", longest=MAX_TEXT_LENGTH),
        stripe_plan_id=stripe_plan_id,
        prices=_prices(fields, currency),
        trial_days=fields.whole("trial_days", most=MAX_TRIAL_DAYS),
        default=fields.flag("default"),
        public=fields.flag("public"),
        limits=_limits(fields),
        voting_types=frozenset(VotingType(name) for name in voting_types),
        features=frozenset(_switches(fields, "features", feature_ids)),
        included=_included(fields, metric_ids),
        retired=fields.flag("retired"),
    )


def _prices(plan: Fields, currency: str) -> PlanPrices:
    fields = Fields(plan.reading, plan.value("prices"), plan.at("prices"), required=("month", "year"))
    amounts: dict[str, int | None] = {}
    step = amount_step(currency)
    for key in ("month", "year"):
        amounts[key] = cents = fields.limit(key, most=MAX_AMOUNT_CENTS, null="not sold at this interval")
        if cents is not None and cents % step:
            fields.wrong(key, f"must be a multiple of {step}: {currency.upper()} can't be paid more finely")
    return PlanPrices(month_cents=amounts["month"], year_cents=amounts["year"])


def _limits(plan: Fields) -> PlanLimits:
    keys = ("memberships", "subOrgs", "maxProcesses", "max_census_size", "customURL", "drafts")
    fields = Fields(plan.reading, plan.value("organization"), plan.at("organization"), required=keys)
    return PlanLimits(
        memberships=fields.limit("memberships", most=MAX_LIMIT),
        sub_orgs=fields.limit("subOrgs", most=MAX_LIMIT),
        max_processes=fields.limit("maxProcesses", most=MAX_LIMIT),
        max_census_size=fields.limit("max_census_size", most=MAX_LIMIT),
        custom_url=fields.flag("customURL"),
        drafts=fields.limit("drafts", most=MAX_LIMIT),
    )


def _switches(plan: Fields, key: str, names: list[str]) -> list[str]:
    """Which of `names` the object `key` switches on; it must say true or false for each of them."""
    noun = "voting type" if key == "votingTypes" else "feature"
    fields = Fields(plan.reading, plan.value(key), plan.at(key), required=names, noun=noun)
    return [name for name in names if fields.flag(name)]


def _included(plan: Fields, metric_ids: list[str]) -> dict[str, int | None]:
    """A quantity for every metric; one that the plan does not name has 0 (credits.md, fine point 3)."""
    if not metric_ids:
        return {}
    fields = Fields(
        plan.reading, plan.value("included"), plan.at("included"), required=(), optional=metric_ids, noun="metric"
    )
    return {metric_id: 0 if fields.value(metric_id) is MISSING else fields.limit(metric_id) for metric_id in metric_ids}
