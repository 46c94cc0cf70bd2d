"""What pages show, as frozen facts: services build these, `ui/` formats them.

Quantities are whole numbers in the metric's base unit, money is whole cents with its currency, moments are aware UTC
datetimes. Nothing in here is formatted: words, locales and display units belong to `ui/formats`.
"""

from billing_app.services.credits.views import (
    BalancePoint,
    CreditsView,
    ExplainStep,
    ExplainView,
    GrantLabel,
    GrantSource,
    GrantStatus,
    GrantView,
    LateLine,
    LaterView,
    MonthBurn,
)
from billing_app.services.credits.views_ledger import LedgerFilters, LedgerLine, LedgerView, TraceView
from billing_app.services.credits.views_shared import (
    Forecast,
    ForecastKind,
    MeterState,
    OfferItem,
    OfferView,
    RecountView,
    UnpostedView,
)
from billing_app.services.overview.views import (
    ActionView,
    BannerKind,
    BannerView,
    EndingLine,
    MeterView,
    NextEnd,
    OverviewView,
    OwnUse,
    SpentLine,
    TakesView,
)
from billing_app.services.overview.views_frame import OrganizationLink, PayerLink, ShellView
from billing_app.services.overview.views_usage import DaysView, DayView, MonthView, SourceView, UsageView
from billing_app.services.purchases.views_buying import (
    BasketLine,
    BuyView,
    CheckoutView,
    MetricPacks,
    NeedView,
    PackView,
    ReceivedGrant,
)

__all__ = [
    "ActionView",
    "BalancePoint",
    "BannerKind",
    "BannerView",
    "BasketLine",
    "BuyView",
    "CheckoutView",
    "CreditsView",
    "DayView",
    "DaysView",
    "EndingLine",
    "ExplainStep",
    "ExplainView",
    "Forecast",
    "ForecastKind",
    "GrantLabel",
    "GrantSource",
    "GrantStatus",
    "GrantView",
    "LateLine",
    "LaterView",
    "LedgerFilters",
    "LedgerLine",
    "LedgerView",
    "MeterState",
    "MeterView",
    "MetricPacks",
    "MonthBurn",
    "MonthView",
    "NeedView",
    "NextEnd",
    "OfferItem",
    "OfferView",
    "OrganizationLink",
    "OverviewView",
    "OwnUse",
    "PackView",
    "PayerLink",
    "ReceivedGrant",
    "RecountView",
    "ShellView",
    "SourceView",
    "SpentLine",
    "TakesView",
    "TraceView",
    "UnpostedView",
    "UsageView",
]
