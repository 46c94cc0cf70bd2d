"""Overviews: living on credits, blocked, and never used."""

from __future__ import annotations

from dataclasses import replace

from billing_app.services.credits.views_shared import (
    Forecast,
    ForecastKind,
    MeterState,
    OfferItemAnswer,
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
    SpentLine,
    TakesView,
)
from billing_app.services.overview.views_frame import FrameView, OrganizationLink
from tests.ui.records.facts import (
    BANDWIDTH,
    EMAILS,
    GB,
    MAU,
    METRICS,
    NOW,
    PRO,
    RECOUNT,
    SMS,
    STORAGE,
    TB,
    USED,
    at,
    covered,
    metric,
    months,
    pack,
    period,
    runs_out,
)

OK, CREDITS, BLOCKED = MeterState.OK, MeterState.USING_CREDITS, MeterState.BLOCKED

LINKS = (
    OrganizationLink("fresh-start", "Fresh Start", "Free"),
    OrganizationLink("meridian", "Meridian Apps", "Pro"),
    OrganizationLink("stopped", "Stopped Studio", "Pro", blocked=True),
)


def frame(address: str, role: str = "admin") -> FrameView:
    """The frame of one of the three organizations."""
    here = next(link for link in LINKS if link.address == address)
    return FrameView(
        organization=here,
        organizations=LINKS,
        person_name="Ana Ruiz",
        person_email="ana@meridian.example",
        role=role,
        test_mode=True,
        may_buy=role in ("admin", "billing", "operator"),
        selling=True,
        revision=1,
    )


def _meter(wanted, state, left, forecast, end=None, *, debt=0, since=None, used=None, granted=True) -> MeterView:
    value = USED[wanted.id][-1] if used is None else used
    allowance = PRO[wanted.id]
    plan = min(value, allowance)
    return MeterView(
        metric=wanted,
        allowance=allowance,
        used=value,
        level=value,
        covered=plan,
        burned=value - plan,
        deficit=0,
        left=left,
        held=0,
        debt=debt,
        reserved=0,
        state=state,
        blocked_since=since,
        forecast=forecast,
        next_end=end,
        ever_granted=granted,
    )


def _meters() -> tuple[MeterView, ...]:
    return (
        _meter(
            MAU, CREDITS, 25_120, runs_out("2025-12-14", 2150, 64_500), NextEnd(at("2026-09-02"), 15_120, False, False)
        ),
        _meter(SMS, CREDITS, 569, runs_out("2025-12-28", 21, 616), NextEnd(at("2026-04-04"), 569, True, False)),
        _meter(
            STORAGE,
            CREDITS,
            round(137.6 * GB),
            runs_out("2026-11-01", round(112.4 * GB), round(112.4 * GB), round(12.4 * GB)),
            NextEnd(at("2026-11-19"), round(137.6 * GB), True, False),
        ),
        _meter(
            BANDWIDTH,
            OK,
            5 * TB,
            covered(60 * GB, round(1.72 * TB)),
            NextEnd(at("2025-12-08"), TB, False, True),
        ),
        _meter(EMAILS, OK, 0, covered(620, 18_700), granted=False),
    )


ACTIONS = (
    ActionView("upload", "Uploads", (STORAGE,), ()),
    ActionView("download", "Downloads", (BANDWIDTH,), ()),
    ActionView("update_check", "Update checks", (MAU, BANDWIDTH), ()),
    ActionView("email_reminder", "E-mail reminders", (EMAILS,), ()),
    ActionView("sms_notification", "SMS notifications", (SMS,), ()),
)


def meridian(chart: str = "") -> OverviewView:
    """Living on credits, as in the picture."""
    offer = OfferView((OfferItemAnswer("mau-50k", MAU, 50_000, 1),), 50_000, 4900, "USD", at("2026-01-18"))
    drawn = metric(chart)
    return OverviewView(
        now=NOW,
        plan_name="Pro",
        period=period(NOW),
        recount=RECOUNT,
        banners=(BannerView(BannerKind.RUNS_OUT, MAU, at("2025-12-14"), offer=offer),),
        meters=_meters(),
        metrics=METRICS,
        actions=ACTIONS,
        chart=drawn,
        months=months(drawn),
        spent=(
            SpentLine(MAU, -19_290, pack(50_000, 4900), at("2025-09-02")),
            SpentLine(SMS, -231, pack(1000, 5500), at("2025-04-04")),
            SpentLine(STORAGE, -round(12.4 * GB), pack(150 * GB, 1600), at("2025-11-19")),
        ),
        ending=(EndingLine(BANDWIDTH, TB, pack(TB, 2000), at("2025-12-08"), unused=True),),
        unposted=(
            UnpostedView(MAU, -194, RECOUNT.last_at, RECOUNT.next_at),
            UnpostedView(SMS, -2, RECOUNT.last_at, RECOUNT.next_at),
        ),
        takes=None,
        ever_used=True,
    )


def stopped(chart: str = "") -> OverviewView:
    """Storage is used up; everything else works."""
    base = meridian()
    since = NOW.replace(hour=13, minute=52)
    storage = _meter(
        STORAGE,
        BLOCKED,
        0,
        Forecast(ForecastKind.USED_UP, since, 0, 28, 250 * GB, 150 * GB),
        used=250 * GB,
        since=since,
    )
    others = tuple(meter for meter in base.meters if meter.metric is not STORAGE)
    offer = OfferView((OfferItemAnswer("storage-200", STORAGE, 200 * GB, 1),), 200 * GB, 2100, "USD", at("2026-01-01"))
    drawn = metric(chart) if chart else STORAGE
    used = (*USED["storage"][:-1], 250 * GB) if drawn is STORAGE else None
    drawn_months = months(drawn, used)
    if drawn is STORAGE:
        drawn_months = (*drawn_months[:-1], replace(drawn_months[-1], used_up_at=since))
    return replace(
        base,
        banners=(
            BannerView(BannerKind.BLOCKED, STORAGE, since, actions=("Uploads",), offer=offer),
            *base.banners,
            BannerView(BannerKind.ENDS_UNUSED, BANDWIDTH, at("2025-12-08"), TB),
        ),
        meters=(storage, *others),
        actions=(replace(ACTIONS[0], blocking=(STORAGE,)), *ACTIONS[1:]),
        chart=drawn,
        months=drawn_months,
        takes=TakesView(STORAGE, 250 * GB, 250 * GB, 100 * GB, "Pro", 150 * GB, at("2025-12-01"), None, offer, 0),
    )


def fresh(chart: str = "") -> OverviewView:
    """A new organization: nothing was ever reported or bought."""
    nothing = Forecast(ForecastKind.UNKNOWN)
    return OverviewView(
        now=NOW,
        plan_name="Free",
        period=period(NOW),
        recount=RecountView(None, RECOUNT.next_at),
        banners=(),
        meters=tuple(_meter(one, OK, 0, nothing, used=0, granted=False) for one in METRICS),
        metrics=METRICS,
        actions=ACTIONS,
        chart=metric(chart),
        months=(replace(months(metric(chart))[-1], used=0, covered=0, burned=0, projected=None),),
        spent=(),
        ending=(),
        unposted=(),
        takes=None,
        ever_used=False,
    )
