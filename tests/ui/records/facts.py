"""The metrics, the moment and the small builders that all records share."""

from __future__ import annotations

from datetime import UTC, datetime

from billing_app.domain.catalogue.model import Hue, Metric
from billing_app.domain.common.periods import Period, period_containing
from billing_app.domain.credits.facts import Aggregation
from billing_app.services.credits.views import GrantLabel, GrantSource
from billing_app.services.credits.views_shared import Forecast, ForecastKind, RecountView
from billing_app.services.usage.views import MonthView

GB = 10**9
TB = 10**12
ANCHOR = datetime(2024, 11, 1, tzinfo=UTC)
NOW = datetime(2025, 11, 21, 14, 10, tzinfo=UTC)

MAU = Metric("mau", "MAU", "unique devices", Aggregation.UNIQUE, "unique devices", "MAU", 1, 1000, Hue.BLUE, "users")
STORAGE = Metric("storage", "Storage", "GB held", Aggregation.LEVEL, "bytes", "GB", GB, 1, Hue.JADE, "hard-drive")
BANDWIDTH = Metric(
    "bandwidth", "Bandwidth", "TB served", Aggregation.SUM, "bytes", "GB", GB, 1, Hue.PURPLE, "arrow-down-up"
)
EMAILS = Metric("emails", "Emails", "sent", Aggregation.SUM, "emails", "emails", 1, 1000, Hue.BROWN, "mail")
SMS = Metric("sms", "SMS", "sent", Aggregation.SUM, "messages", "SMS", 1, 1, Hue.PINK, "message-square")
METRICS = (MAU, STORAGE, BANDWIDTH, EMAILS, SMS)

RECOUNT = RecountView(last_at=NOW.replace(hour=12, minute=0), next_at=NOW.replace(hour=18, minute=0))


def at(text: str) -> datetime:
    """A moment from "2025-09-02" or "2025-09-02T10:00"."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def period(moment: datetime) -> Period:
    """The period of the organization at a moment."""
    return period_containing(ANCHOR, moment)


def metric(wanted: str) -> Metric:
    """The metric of this id; the first one for any other text."""
    return next((one for one in METRICS if one.id == wanted), MAU)


USED = {
    "mau": (8400, 9230, 9980, 11240, 13910, 16480, 19730, 23960, 28350, 31140, 36230, 39870, 44290),
    "storage": tuple(round(x * GB) for x in (38, 40.5, 43, 46, 49.5, 57, 62.3, 68, 75.5, 84, 92.4, 99.1, 112.4)),
    "bandwidth": tuple(
        round(x * TB) for x in (0.42, 0.47, 0.5, 0.61, 0.72, 0.8, 0.94, 1.1, 1.22, 1.3, 1.44, 1.61, 1.18)
    ),
    "emails": (5200, 6100, 6400, 7300, 8000, 9900, 11200, 12100, 13900, 15100, 16400, 17700, 12840),
    "sms": (40, 52, 61, 77, 80, 96, 120, 160, 190, 200, 340, 390, 431),
}
STARTER = {"mau": 10_000, "storage": 50 * GB, "bandwidth": TB, "emails": 10_000, "sms": 100}
PRO = {"mau": 25_000, "storage": 100 * GB, "bandwidth": 2 * TB, "emails": 20_000, "sms": 200}
PROJECTED = {"mau": 64_500, "storage": round(112.4 * GB), "bandwidth": round(1.72 * TB), "emails": 18_700, "sms": 616}
UNPAID = {("mau", 3): 1240, ("mau", 4): 2910}
"""What nobody paid, by metric and place of the month."""


def months(wanted: Metric, used: tuple[int, ...] | None = None) -> tuple[MonthView, ...]:
    """Thirteen months of a metric up to the running one."""
    values = used or USED[wanted.id]
    result = []
    for index, value in enumerate(values):
        number = index
        span = period(ANCHOR if number == 0 else _month(number))
        pro = index >= 5
        allowance = (PRO if pro else STARTER)[wanted.id]
        covered = min(value, allowance)
        unpaid = UNPAID.get((wanted.id, index), 0)
        running = index == len(values) - 1
        result.append(
            MonthView(
                period=span,
                used=value,
                allowance=allowance,
                plan_name="Pro" if pro else "Starter",
                covered=covered,
                burned=value - covered - unpaid,
                uncovered=unpaid,
                running=running,
                projected=max(value, PROJECTED[wanted.id]) if running else None,
            )
        )
    return tuple(result)


def _month(number: int) -> datetime:
    year, month = divmod(ANCHOR.month - 1 + number, 12)
    return ANCHOR.replace(year=ANCHOR.year + year, month=month + 1)


def runs_out(when: str, pace: int, end_use: int, burn: int | None = None) -> Forecast:
    """A forecast that ends."""
    return Forecast(ForecastKind.RUNS_OUT, at(when), pace, 28, end_use, burn)


def covered(pace: int, end_use: int) -> Forecast:
    """A forecast in which the plan is enough."""
    return Forecast(ForecastKind.PLAN_COVERS, None, pace, 28, end_use)


def pack(quantity: int, cents: int) -> GrantLabel:
    """The label of a bought pack."""
    return GrantLabel(GrantSource.PACK, quantity, paid_cents=cents, currency="USD")
