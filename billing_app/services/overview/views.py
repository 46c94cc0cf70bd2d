"""The first page: will I be cut off, and what does it take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing_app.domain.catalogue.model import Metric
from billing_app.domain.common.periods import Period
from billing_app.services.credits.views import GrantLabel
from billing_app.services.credits.views_shared import Forecast, MeterState, OfferView, RecountView, UnpostedView
from billing_app.services.usage.views import DaysView, MonthView, SourceAnswer


@dataclass(frozen=True, slots=True)
class NextEnd:
    """The credits of a metric that end soonest."""

    at: datetime
    quantity: int
    """Left, not bought."""
    all_of_it: bool
    """Nothing that is left ends later."""
    soon: bool
    """Within 30 days, and would end unused at this pace."""


@dataclass(frozen=True, slots=True)
class MeterView:
    """One metric of the running period. The bar's full width is allowance + burned + left."""

    metric: Metric
    allowance: int | None
    """None is unlimited."""
    used: int
    level: int
    """For `level` metrics what is held now; else the same as used."""
    covered: int
    """Of used, paid by the plan."""
    burned: int
    """Of used, paid by credits."""
    deficit: int
    """Of used, paid by nobody yet."""
    left: int
    held: int
    debt: int
    reserved: int
    state: MeterState
    blocked_since: datetime | None
    forecast: Forecast
    next_end: NextEnd | None
    """None when nothing is left."""
    ever_granted: bool
    """False: "none bought"."""


class BannerKind(StrEnum):
    """What may be wrong, the worst first."""

    BLOCKED = "blocked"
    DEBT = "debt"
    PAST_DUE = "past_due"
    RUNS_OUT = "runs_out"
    ENDS_UNUSED = "ends_unused"
    OVER_LIMIT = "over_limit"


@dataclass(frozen=True, slots=True)
class BannerView:
    """One thing to know. The sentence is made by the page from these facts."""

    kind: BannerKind
    metric: Metric | None = None
    at: datetime | None = None
    """Blocked since; runs out on; ends on; past due until (the last day of grace)."""
    quantity: int = 0
    """Of the metric: owed, or ends unused."""
    actions: tuple[str, ...] = ()
    """For BLOCKED: names of the actions that are refused."""
    limit_name: str = ""
    """For OVER_LIMIT: "members"."""
    offer: OfferView | None = None
    """What puts it right, when packs do and may be sold."""


@dataclass(frozen=True, slots=True)
class ActionView:
    """One action of the SaaS product and whether it works."""

    id: str
    name: str
    needs: tuple[Metric, ...]
    blocking: tuple[Metric, ...]
    """Those of `needs` that are used up; empty: it works."""


@dataclass(frozen=True, slots=True)
class SpentLine:
    """What one metric burned in the running period and of which grant most of it came."""

    metric: Metric
    quantity: int
    label: GrantLabel
    granted_at: datetime
    others: int = 0
    """How many further grants paid, too."""


@dataclass(frozen=True, slots=True)
class EndingLine:
    """Credits that end within 30 days."""

    metric: Metric
    quantity: int
    label: GrantLabel
    ends_at: datetime
    unused: bool
    """At this pace they end unused; else they are used up before."""


@dataclass(frozen=True, slots=True)
class TakesView:
    """Why the blocked metric is blocked and what it takes: used - included = above the plan."""

    metric: Metric
    used: int
    level: int
    allowance: int
    plan_name: str
    overage: int
    burned_again_at: datetime | None
    """For `level`: the start of the next period, when the same overage is burned again; None for others."""
    resets_at: datetime | None
    """For all but `level`: when the allowance starts anew."""
    offer: OfferView | None
    pays_for_past: int
    """Of the offer, what pays for what is already used, or is burned at once."""


@dataclass(frozen=True, slots=True)
class OwnUse:
    """What a sub-organization used of a metric in the running period, and what all together did."""

    metric: Metric
    used: int
    whole: int


@dataclass(frozen=True, slots=True)
class OverviewView:
    """Everything the overview shows. Where another pays, meters and months are that one's, and `own` is the part."""

    now: datetime
    plan_name: str
    period: Period
    recount: RecountView
    banners: tuple[BannerView, ...]
    """The worst first."""
    meters: tuple[MeterView, ...]
    """Blocked first, then the soonest cut-off."""
    metrics: tuple[Metric, ...]
    """Every metric of the catalogue, in its order."""
    actions: tuple[ActionView, ...]
    """All actions of the catalogue; blocked ones first."""
    chart: Metric | None
    """Whose months are drawn: the one asked for, else the first meter's."""
    months: tuple[MonthView, ...]
    """Of `chart`, oldest first, at most 13, ending with the running one."""
    spent: tuple[SpentLine, ...]
    ending: tuple[EndingLine, ...]
    unposted: tuple[UnpostedView, ...]
    takes: TakesView | None
    """For the first blocked metric."""
    ever_used: bool
    """False for an organization that never reported anything: the empty state."""
    payer_name: str = ""
    """Who pays, if another does."""
    own: tuple[OwnUse, ...] = ()
    """Where another pays: the organization's own part, in the order of the meters."""


@dataclass(frozen=True, slots=True)
class UsageView:
    """Months of one metric, the chosen month's days and where its use came from."""

    now: datetime
    metric: Metric
    metrics: tuple[Metric, ...]
    """Every metric of the catalogue, in its order."""
    months: tuple[MonthView, ...]
    """Oldest first; the last one is running."""
    forecast: Forecast
    recount: RecountView
    chosen: int
    """The number of the chosen period; always one of `months`, unless there are none."""
    days: DaysView
    sources: tuple[SourceAnswer, ...]
    """Of the chosen period, the largest first; one or none is not shown."""
    ever_used: bool
    payer_name: str = ""
    """Who pays, if another does: months are that one's, with the organization's own part, and days are not shown."""
