"""What a catalogue says: metrics, plans, packs, actions and token rates. Facts without behaviour beyond looking up.

Quantities are whole numbers in the metric's base unit, prices whole minor units of the catalogue's one currency.
None as a quantity or a limit is unlimited, 0 is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from billing_app.domain.common.errors import FactRefusedError, NotFoundError
from billing_app.domain.credits.facts import Aggregation, DeficitPolicy, RefundPolicy

DEFAULT_GRACE_DAYS = 7
"""How long a plan stays after the first failed payment, unless the catalogue says otherwise (stripe.md)."""

TOKEN_ID = "token"  # noqa: S105  the id of the universal credit, no secret


class VotingType(StrEnum):
    """The ways of voting that a plan may include: a closed list, because each is code in the process wizard."""

    SINGLE = "single"
    MULTIPLE = "multiple"
    APPROVAL = "approval"
    CUMULATIVE = "cumulative"
    RANKED = "ranked"
    WEIGHTED = "weighted"


class Interval(StrEnum):
    """How often a pack is paid."""

    ONCE = "once"
    MONTH = "month"


class Hue(StrEnum):
    """The hues that stay apart for colour-blind readers and have a place in every chart."""

    BLUE = "blue"
    JADE = "jade"
    PURPLE = "purple"
    BROWN = "brown"
    PINK = "pink"
    CYAN = "cyan"
    GOLD = "gold"


@dataclass(frozen=True, slots=True)
class Metric:
    """Something that is counted.

    `unit` is what a quantity counts (bytes, messages). A person reads quantities in `display_unit`, each of `factor`
    base units; prices are quoted per `price_per` display units (1 000 MAU, 1 GB). `caption` is the line under the name.
    """

    id: str
    name: str
    caption: str
    aggregation: Aggregation
    unit: str
    display_unit: str
    factor: int
    price_per: int
    hue: Hue
    icon: str
    deficit: DeficitPolicy = DeficitPolicy.FORGIVE
    refund_shortfall: RefundPolicy = RefundPolicy.DEBT

    @property
    def counts(self) -> bool:
        """Whether it counts things one by one, so that figures need no unit (people, messages; not gigabytes)."""
        return self.factor == 1


TOKEN = Metric(
    id=TOKEN_ID,
    name="Tokens",
    caption="for any metric",
    aggregation=Aggregation.SUM,
    unit="tokens",
    display_unit="tokens",
    factor=1,
    price_per=1,
    hue=Hue.GOLD,
    icon="coins",
)
"""The universal credit. Built in: nothing uses it directly, it is converted at the catalogue's rates."""


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that a plan has or has not. The catalogue lists all of them once; plans say yes or no to each."""

    id: str
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """How many of each an organization may have at once; `max_census_size` is per process."""

    memberships: int | None
    sub_orgs: int | None
    max_processes: int | None
    max_census_size: int | None
    custom_url: bool
    drafts: int | None


@dataclass(frozen=True, slots=True)
class PlanPrices:
    """What a plan costs per month and per year, in cents. None: not sold at this interval. 0: free."""

    month_cents: int | None
    year_cents: int | None


def product_of(plan_id: str) -> str:
    """The id of the product at Stripe that we make for a plan: what it is called there unless it was given another."""
    return f"plan_{plan_id}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What an organization subscribes to. `included` has a quantity for every metric, per period."""

    id: str
    name: str
    description: str
    stripe_plan_id: str | None
    prices: PlanPrices
    trial_days: int
    default: bool
    public: bool
    limits: PlanLimits
    voting_types: frozenset[VotingType]
    features: frozenset[str]
    included: Mapping[str, int | None]
    retired: bool = False

    @property
    def offered(self) -> bool:
        """Whether customers may see it and choose it."""
        return self.public and not self.retired

    def allowance(self, metric_id: str) -> int | None:
        """What it includes of a metric per period; a metric that it does not name has 0 (credits.md, fine point 3)."""
        return self.included.get(metric_id, 0)


@dataclass(frozen=True, slots=True)
class Pack:
    """A quantity of one metric for a price, paid once or every month. Its id is for ever, its content has versions."""

    id: str
    metric: str
    quantity: int
    price_cents: int
    interval: Interval
    public: bool
    retired: bool = False

    @property
    def offered(self) -> bool:
        """Whether customers may see it and buy it."""
        return self.public and not self.retired

    @property
    def recurring(self) -> bool:
        """Whether it is paid again every month."""
        return self.interval is not Interval.ONCE


@dataclass(frozen=True, slots=True)
class ActionRule:
    """Something the SaaS product does, and the metrics that it needs: it stops when one of them has nothing left."""

    id: str
    name: str
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenRate:
    """`tokens` tokens become `quantity` base units of the metric."""

    metric: str
    tokens: int
    quantity: int

    def quantity_for(self, tokens: int) -> int:
        """What `tokens` tokens become. Raises FactRefusedError `invalid_quantity`: below 1, or a remainder."""
        if tokens < 1 or tokens % self.tokens:
            raise FactRefusedError(
                f"Tokens for {self.metric} are converted {self.tokens} at a time: {tokens} leaves a remainder.",
                code="invalid_quantity",
            )
        return tokens // self.tokens * self.quantity


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that can be counted, held and bought, at one moment. In the order in which people should see it."""

    currency: str
    grace_days: int
    features: tuple[Feature, ...]
    metrics: tuple[Metric, ...]
    plans: tuple[Plan, ...]
    packs: tuple[Pack, ...]
    actions: tuple[ActionRule, ...]
    token_rates: tuple[TokenRate, ...]

    @property
    def default_plan(self) -> Plan:
        """The plan of an organization that has no other."""
        return next(plan for plan in self.plans if plan.default)

    @property
    def metric_ids(self) -> tuple[str, ...]:
        """The ids of what is counted, without tokens."""
        return tuple(metric.id for metric in self.metrics)

    def plan(self, plan_id: str) -> Plan:
        """The plan of this id, retired or not. Raises NotFoundError `plan_not_found`."""
        for plan in self.plans:
            if plan.id == plan_id:
                return plan
        raise NotFoundError(f"There is no plan {plan_id!r}.", code="plan_not_found")

    def metric(self, metric_id: str) -> Metric:
        """The metric of this id, `token` included. Raises NotFoundError `metric_not_found`."""
        for metric in (*self.metrics, TOKEN):
            if metric.id == metric_id:
                return metric
        raise NotFoundError(f"There is no metric {metric_id!r}.", code="metric_not_found")

    def pack(self, pack_id: str) -> Pack:
        """The pack of this id, retired or not. Raises NotFoundError `pack_not_found`."""
        for pack in self.packs:
            if pack.id == pack_id:
                return pack
        raise NotFoundError(f"There is no pack {pack_id!r}.", code="pack_not_found")

    def action(self, action_id: str) -> ActionRule:
        """The rule of an action. Raises NotFoundError `action_not_found`."""
        for action in self.actions:
            if action.id == action_id:
                return action
        raise NotFoundError(f"There is no action {action_id!r}.", code="action_not_found")

    def token_rate(self, metric_id: str) -> TokenRate:
        """What tokens become of a metric. Raises NotFoundError `token_rate_not_found`: they can't become this one."""
        for rate in self.token_rates:
            if rate.metric == metric_id:
                return rate
        raise NotFoundError(f"Tokens can't be converted into {metric_id!r}.", code="token_rate_not_found")

    def offered_packs(self, metric_id: str, interval: Interval) -> tuple[Pack, ...]:
        """What can be bought of a metric now, smallest first."""
        packs = (pack for pack in self.packs if pack.offered and (pack.metric, pack.interval) == (metric_id, interval))
        return tuple(sorted(packs, key=lambda pack: (pack.quantity, pack.price_cents, pack.id)))


_NAMES = """
activity arrow-down-up bell bot box boxes cloud coins cpu credit-card database download file folder globe hard-drive
image key layers mail map-pin message-square mouse-pointer-click package phone printer radio server smartphone terminal
timer tv upload users video vote webhook zap
"""

ICONS = frozenset(_NAMES.split())
