"""Metrics, packs and plans as the catalogue has them."""

from __future__ import annotations

from billing_app.api.common.schemas import Answer


class MetricAnswer(Answer):
    """Something that is counted. One `display_unit` is `factor` base units; quantities are always base units."""

    id: str
    name: str
    caption: str
    aggregation: str
    unit: str
    display_unit: str
    factor: int
    price_per: int
    hue: str
    icon: str
    deficit: str
    refund_shortfall: str


class PackAnswer(Answer):
    """A quantity of credits of one metric for a price, paid once or every month."""

    id: str
    metric: str
    quantity: int
    price_cents: int
    currency: str
    interval: str


class PlanPricesAnswer(Answer):
    """In cents; null is not sold at this interval, 0 is free."""

    month: int | None
    year: int | None


class PlanLimitsAnswer(Answer):
    """How many of each an organization may have; null is unlimited, 0 is none."""

    memberships: int | None
    subOrgs: int | None
    maxProcesses: int | None
    max_census_size: int | None
    customURL: bool
    drafts: int | None


class PlanAnswer(Answer):
    """A plan with all that it controls. `included` is per metric and period, in base units; null is unlimited."""

    plan: str
    name: str
    description: str
    stripePlanId: str | None
    prices: PlanPricesAnswer
    currency: str
    trial_days: int
    default: bool
    organization: PlanLimitsAnswer
    votingTypes: dict[str, bool]
    features: dict[str, bool]
    included: dict[str, int | None]
