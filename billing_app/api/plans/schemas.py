"""An organization's subscription: what it holds, what a change costs, what was billed."""

from __future__ import annotations

from datetime import datetime

from billing_app.api.catalogue.schemas import PlanAnswer
from billing_app.api.common.schemas import Answer, Moment, Name, Request
from billing_app.domain.purchases.subscriptions import BillingInterval
from billing_app.services.subscriptions.views_plan import SubscriptionAnswer


class LimitUseAnswer(Answer):
    """How much of a limit is taken. `maximum` null is unlimited; `overridden` says that it is not the plan's own."""

    used: int
    maximum: int | None
    overridden: bool


class OverrideInForce(Answer):
    """What stands in place of the plan until `until` (null: without end). `value` as an operator gave it."""

    kind: str
    name: str
    value: int | None
    until: datetime | None


class SubscriptionObject(Answer):
    """The subscription object: the subscription, the plan in force with its own limits, and counts against what holds.

    `overrides` are what the operator has put in place of the plan; `usage` counts them in, `plan` never does.
    """

    subscription: SubscriptionAnswer | None
    plan: PlanAnswer
    usage: dict[str, LimitUseAnswer]
    overrides: list[OverrideInForce]


class PlanChoice(Request):
    """A plan, paid per month or per year."""

    plan: Name
    interval: BillingInterval = BillingInterval.MONTH


class PlanChangeRequest(PlanChoice):
    """A change as it was previewed: `at` is the preview's, so that it costs what the preview said."""

    at: Moment


class PortalAnswer(Answer):
    """Stripe's pages for this customer. Send the browser to `url` soon: it works once."""

    url: str
