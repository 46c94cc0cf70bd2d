"""Credits, explanations and ledgers."""

from __future__ import annotations

from datetime import datetime, timedelta

from billing_app.services.credits.views import (
    CreditsView,
    ExplainStep,
    ExplainView,
    GrantLabel,
    GrantSource,
    GrantStatus,
    GrantView,
    LaterAnswer,
    LaterLineAnswer,
    MonthBurn,
    PointAnswer,
)
from billing_app.services.credits.views_ledger import LedgerFilters, LedgerLine, LedgerView, TraceView
from billing_app.services.credits.views_shared import Forecast, ForecastKind, UnpostedView
from tests.ui.records.facts import MAU, METRICS, NOW, RECOUNT, at, metric, pack, period, runs_out

GIFT = GrantLabel(GrantSource.GIFT_CARD, 1000, "Spring start")
OPERATOR = GrantLabel(GrantSource.OPERATOR, 10_000, "Outage on 16 Oct")
BIG, SMALL = pack(50_000, 4900), pack(10_000, 1400)


def _grant(name, label, status, quantity, left, start, end, burns) -> GrantView:
    return GrantView(
        id=name,
        label=label,
        status=status,
        quantity=quantity,
        left=left,
        burned=quantity - left,
        held=0,
        expired=0,
        voided=0,
        clawed_back=0,
        debt=0,
        effective_at=at(start),
        expires_at=at(end),
        burns=tuple(MonthBurn(period(at(day)), amount) for day, amount in burns),
    )


GRANTS = (
    _grant(
        "g3", BIG, GrantStatus.BURNING, 50_000, 15_120, "2025-09-02", "2026-09-02",
        (("2025-09-15", 10_720), ("2025-10-15", 4_870), ("2025-11-15", 19_290)),
    ),
    _grant("g5", SMALL, GrantStatus.NEXT, 10_000, 10_000, "2025-11-12", "2026-11-12", ()),
    _grant(
        "g4", OPERATOR, GrantStatus.USED_UP, 10_000, 0, "2025-10-18", "2026-01-18", (("2025-10-20", 10_000),)
    ),
    _grant(
        "g2", SMALL, GrantStatus.USED_UP, 10_000, 0, "2025-07-08", "2026-07-08",
        (("2025-07-15", 3_350), ("2025-08-15", 6_140), ("2025-09-15", 510)),
    ),
    _grant("g1", GIFT, GrantStatus.USED_UP, 1000, 0, "2025-03-12", "2026-03-12", (("2025-03-15", 1000),)),
)  # fmt: skip

BALANCE = (
    ("2025-05-26", 0, 0), ("2025-07-08", 0, 0), ("2025-07-08", 10_000, 10_000), ("2025-07-28", 10_000, 0),
    ("2025-08-01", 6_650, 0), ("2025-08-25", 6_650, 0), ("2025-09-01", 510, 0), ("2025-09-02", 510, 0),
    ("2025-09-02", 50_510, 50_000), ("2025-09-21", 50_510, 0), ("2025-10-01", 39_280, 0), ("2025-10-18", 39_280, 0),
    ("2025-10-18", 49_280, 10_000), ("2025-10-20", 49_280, 0), ("2025-11-01", 34_410, 0), ("2025-11-12", 34_410, 0),
    ("2025-11-12", 44_410, 10_000), ("2025-11-21T14:10", 25_120, 0),
)  # fmt: skip
AHEAD = (("2025-11-21T14:10", 25_120), ("2025-12-01", 5_100), ("2025-12-12", 5_100), ("2025-12-14", 0))


def credits(address: str, wanted: str, months: int) -> CreditsView:
    """The credits of a metric: MAU as in the picture, anything else without any."""
    chosen = metric(wanted)
    has = chosen is MAU and address != "fresh-start"
    since = NOW - timedelta(days=180 if months <= 6 else 365)
    return CreditsView(
        now=NOW,
        metric=chosen,
        metrics=METRICS,
        allowance=25_000,
        left=25_120 if has else 0,
        granted=81_000 if has else 0,
        burned=55_880 if has else 0,
        expired=0,
        voided=0,
        clawed_back=0,
        held=0,
        debt=0,
        forecast=runs_out("2025-12-14", 2150, 64_500) if has else Forecast(ForecastKind.PLAN_COVERS),
        recount=RECOUNT,
        unposted=UnpostedView(MAU, -194, RECOUNT.last_at, RECOUNT.next_at) if has else None,
        balance=(
            PointAnswer(since, 0),
            *(PointAnswer(at(day), left, granted) for day, left, granted in BALANCE if at(day) > since),
        )
        if has
        else (PointAnswer(since, 0), PointAnswer(NOW, 0)),
        ahead=tuple(PointAnswer(at(day), left) for day, left in AHEAD) if has else (),
        grants=GRANTS if has else (),
    )


STEPS = (
    ("grant", "2025-03-12", None, 1000, 1000, GIFT),
    ("burn", "2025-03-31", "2025-03-15", -1000, 0, None),
    ("grant", "2025-07-08", None, 10_000, 10_000, SMALL),
    ("burn", "2025-07-31", "2025-07-15", -3350, 6650, None),
    ("burn", "2025-08-31", "2025-08-15", -6140, 510, None),
    ("grant", "2025-09-02", None, 50_000, 50_510, BIG),
    ("burn", "2025-09-30", "2025-09-15", -11_230, 39_280, None),
    ("grant", "2025-10-18", None, 10_000, 49_280, OPERATOR),
    ("burn", "2025-10-31", "2025-10-15", -14_870, 34_410, None),
    ("grant", "2025-11-12", None, 10_000, 44_410, SMALL),
    ("burn", "2025-11-21", "2025-11-15", -19_096, 25_314, None),
    ("unposted", "2025-11-21T14:10", None, -194, 25_120, None),
)


def explain(address: str, wanted: str, moment: datetime | None) -> ExplainView:
    """The balance of MAU as the sum of what made it."""
    chosen = metric(wanted)
    has = chosen is MAU and address != "fresh-start"
    until = moment or NOW
    steps = tuple(
        ExplainStep(
            kind=kind,
            at=at(day),
            period=period(at(inside)) if inside else None,
            quantity=quantity,
            balance=balance,
            label=label,
            late_quantity=-620 if kind == "burn" and day == "2025-10-31" else 0,
            late_recorded_at=at("2025-11-03T06:00") if kind == "burn" and day == "2025-10-31" else None,
            entry=number,
        )
        for number, (kind, day, inside, quantity, balance, label) in enumerate(STEPS, start=1)
        if has and at(day) <= until
    )
    left = steps[-1].balance if steps else 0
    return ExplainView(
        now=NOW,
        metric=chosen,
        metrics=METRICS,
        at=until,
        left=left,
        granted=sum(one.quantity for one in steps if one.quantity > 0),
        burned=-sum(one.quantity for one in steps if one.quantity < 0),
        expired=0,
        voided=0,
        clawed_back=0,
        held=0,
        debt=0,
        steps=steps,
        steps_left_out=0,
        where=tuple(one for one in GRANTS if one.left) if has else (),
        later=LaterAnswer(
            at("2025-10-31T23:59"), 35_030, 34_410, (LaterLineAnswer("burn", at("2025-11-03T06:00"), -620),)
        )
        if has
        else None,
    )


def _lines() -> tuple[LedgerLine, ...]:
    result = []
    for number, (kind, day, inside, quantity, balance, label) in enumerate(STEPS[:-1], start=1):
        reason = {
            "grant": "Bought with payment pi_3Qx" if label in (BIG, SMALL) else "Given for free",
            "burn": "Use above the plan",
        }[kind]
        result.append(
            LedgerLine(
                number=number,
                metric=MAU,
                kind=kind,
                quantity=quantity,
                balance=balance,
                grant_id="g3",
                label=label or BIG,
                period=period(at(inside or day)),
                occurred_at=at(day),
                recorded_at=at(day) + timedelta(hours=6),
                reason=reason,
                source="recount 2025-11-21T12:00" if kind == "burn" else "cs_test_a1b2c3",
            )
        )
    return tuple(reversed(result))


def ledger(address: str, filters: LedgerFilters, cursor: str) -> LedgerView:
    """The entries behind the explanation."""
    lines = _lines() if address != "fresh-start" else ()
    kept = tuple(
        line
        for line in lines
        if filters.kind in ("", line.kind)
        and filters.metric in ("", line.metric.id)
        and filters.search.lower() in (line.reason + line.source).lower()
    )
    page, rest = (kept[:6], kept[6:]) if not cursor else (kept[6:], ())
    return LedgerView(
        now=NOW,
        metrics=METRICS,
        lines=page,
        unposted=(UnpostedView(MAU, -194, RECOUNT.last_at, RECOUNT.next_at),) if lines and not cursor else (),
        next_cursor="next" if rest else "",
        recount=RECOUNT,
        ever_posted=bool(lines),
    )


def trace(number: int) -> TraceView:
    """One entry and its grant."""
    line = next(one for one in _lines() if one.number == number)
    return TraceView(line=line, grant=GRANTS[0], others=tuple(reversed(_lines()))[:4], others_left_out=0)
