"""The plan page: from the view to what the screen shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from billing_app.domain.organizations.limits import Limit, LimitUse
from billing_app.domain.purchases.subscriptions import ENDED
from billing_app.services.overview.views_frame import FrameView
from billing_app.services.subscriptions.views_plan import InvoiceAnswer, PlanView, SubscriptionAnswer
from billing_app.ui import routes
from billing_app.ui.frame.text import why_not_paying
from billing_app.ui.kit.formats import Formats, clock, day, in_days, long_day
from billing_app.ui.kit.records import Choice, Field
from billing_app.ui.plans.cards import PlanCard, cards

WORDS = {
    Limit.MEMBERSHIPS: "Members",
    Limit.SUB_ORGS: "Sub-organizations",
    Limit.PROCESSES: "Open processes",
    Limit.DRAFTS: "Drafts",
    Limit.CENSUS: "Voters per process",
}
"""Limits as people call them, in the order of the page; a web address is not a count."""

PERCENT = 100


@dataclass(frozen=True)
class LimitRow:
    """A limit with how much of it is taken: `width` is the bar's, in percent; empty without a bar."""

    name: str = ""
    figure: str = ""
    note: str = ""
    width: str = ""
    tone: str = ""


@dataclass(frozen=True)
class PlanNotice:
    """What is special about the subscription, above everything: `tone` is "", "soon" or "blocked"."""

    visible: bool = False
    icon: str = "info"
    tone: str = ""
    title: str = ""
    text: str = ""
    deed: str = ""
    """What the button beside it asks for: "portal", "keep" or "resume"."""
    action: str = ""


@dataclass(frozen=True)
class InvoiceRow:
    """One line of the invoices."""

    number: str = ""
    date: str = ""
    status: str = ""
    tone: str = ""
    amount: str = ""
    href: str = ""
    pdf: str = ""


@dataclass(frozen=True)
class PlanScreen:
    """Everything the page shows."""

    ready: bool = False
    name: str = ""
    description: str = ""
    badge: str = ""
    badge_tone: str = ""
    price: str = ""
    price_note: str = ""
    dates: list[Field] = field(default_factory=list)
    state: PlanNotice = field(default_factory=PlanNotice)
    limits: list[LimitRow] = field(default_factory=list)
    intervals: list[Choice] = field(default_factory=list)
    interval: str = "month"
    interval_base: str = ""
    cards: list[PlanCard] = field(default_factory=list)
    can_cancel: bool = False
    can_pause: bool = False
    can_manage: bool = False
    billed: bool = False
    """There may be invoices."""
    billed_to: str = ""
    """The name and e-mail on them."""
    title: str = "Your plan"
    compare_title: str = "All plans"
    compare_note: str = "more at once, less when what is paid has run out"
    limits_note: str = ""


def plan_screen(view: PlanView, frame: FrameView, formats: Formats, interval: str = "") -> PlanScreen:
    """The screen; `interval` chooses the prices that are compared, by default those that are paid now."""
    found = view.subscription
    running = found if found is not None and found.status not in ENDED else None
    chosen = interval if interval in ("month", "year") else (running.interval if running else "month")
    address = frame.organization.address
    refusal = why_not_paying(frame)
    free = running is not None and running.status in ("active", "trialing")
    return PlanScreen(
        ready=True,
        name=view.plan.name,
        description=view.plan.description,
        badge=_badge(running, view.now)[0],
        badge_tone=_badge(running, view.now)[1],
        price=_price(view, running, formats)[0],
        price_note=_price(view, running, formats)[1],
        dates=_dates(view, running),
        state=_state(view, formats),
        limits=[_limit(use, formats) for use in view.limits if use.limit in WORDS],
        intervals=[Choice("month", "Monthly"), Choice("year", "Yearly")],
        interval=chosen,
        interval_base=routes.plan(address) + "?interval=",
        cards=cards(view, running, chosen, formats, refusal),
        can_cancel=free and running is not None and running.cancel_at is None,
        can_pause=free and running is not None and running.cancel_at is None and running.status == "active",
        can_manage=view.has_customer and view.selling,
        billed=view.has_customer and view.selling,
        billed_to=", ".join(each for each in (view.stripe_name, view.stripe_email) if each),
        **_words(view),
    )


def invoice_rows(found: list[InvoiceAnswer], formats: Formats) -> list[InvoiceRow]:
    """The list of invoices."""
    return [
        InvoiceRow(
            number=each.number,
            date=long_day(each.created_at),
            status={"paid": "Paid", "open": "Open", "void": "Void", "uncollectible": "Not collected"}[each.status],
            tone={"open": "soon", "uncollectible": "blocked"}.get(each.status, ""),
            amount=formats.money(each.total_cents, each.currency),
            href=each.hosted_url,
            pdf=each.pdf_url,
        )
        for each in found
    ]


def _words(view: PlanView) -> dict[str, str]:
    """Titles of the page where another organization pays."""
    if not view.payer_name:
        return {}
    return {
        "title": f"The plan of {view.payer_name}",
        "compare_title": "A plan of its own",
        "compare_note": f"then this organization pays for itself, and {view.payer_name} no longer does",
        "limits_note": f"Taken by all that {view.payer_name} pays for.",
    }


def after_it(view: PlanView) -> str:
    """What holds where this organization has no plan of its own: "Free holds", "Larkfield Maps pays"."""
    return f"{view.above_name} pays" if view.above_name else f"{view.default_plan.name} holds"


def _badge(found: SubscriptionAnswer | None, now: datetime) -> tuple[str, str]:
    if found is None:
        return "", ""
    if found.status == "past_due":
        return "Past due", "blocked" if found.grace_ends_at and found.grace_ends_at <= now else "soon"
    if found.cancel_at is not None:
        return "Ends soon", "soon"
    words = {"trialing": ("Trial", "credits"), "paused": ("Paused", "soon"), "unpaid": ("Unpaid", "blocked")}
    return words.get(found.status, ("", ""))


def _price(view: PlanView, found: SubscriptionAnswer | None, formats: Formats) -> tuple[str, str]:
    if found is None and view.payer_name:
        return "Shared", f"paid by {view.payer_name}"
    if found is None:
        month = view.plan.prices.month_cents
        if month is None:
            return "By agreement", ""
        return (formats.money(month, view.currency), "per month") if month else ("Free", "")
    note = f"per {found.interval}" + (" after the trial" if found.status == "trialing" else "")
    return formats.money(found.price_cents, found.currency), note


def _dates(view: PlanView, found: SubscriptionAnswer | None) -> list[Field]:
    """When money and quantities begin anew: one date where they are one instant, two where they differ."""
    now, resets = view.now, view.period.end
    reset = Field("Included quantities reset", day(resets, now), "", in_days(resets, now))
    if found is None:
        return [reset]
    if found.cancel_at is not None:
        first = Field("Ends", day(found.cancel_at, now), "soon", in_days(found.cancel_at, now))
    elif found.status == "trialing":
        first = Field("Trial ends, first payment", day(found.period_end, now), "", in_days(found.period_end, now))
    elif found.status == "paused":
        first = Field("Next payment", "none while paused", "quiet")
    elif abs((found.period_end - resets).total_seconds()) < 1:
        together = Field("Renews and resets", day(resets, now), "", in_days(resets, now))
        return [together, _since(found)]
    else:
        first = Field("Renews", day(found.period_end, now), "", in_days(found.period_end, now))
    return [first, reset, _since(found)]


def _since(found: SubscriptionAnswer) -> Field:
    return Field("Subscribed since", long_day(found.started_at), "quiet")


def _state(view: PlanView, formats: Formats) -> PlanNotice:
    """The one thing that is special."""
    found, now = view.subscription, view.now
    if view.payer_name and (found is None or found.status in ENDED):
        ended = f" {found.plan_name} ended on {day(found.ended_at or now, now)}." if found is not None else ""
        return PlanNotice(
            True, "info", "", f"{view.payer_name} pays for this organization.{ended}",
            f"Its admins, and who has the role billing there, change the plan and buy credits at {view.payer_name}.",
        )  # fmt: skip
    if found is None:
        return PlanNotice()
    default, after = view.default_plan.name, after_it(view)
    if found.status == "past_due":
        return _past_due(found, default, now)
    if found.status == "unpaid":
        return PlanNotice(
            True, "triangle-alert", "blocked", f"{found.plan_name} was not paid for.",
            f"{after} until it is. {_credits(view)}", "portal", "Pay now",
        )  # fmt: skip
    if found.status == "paused":
        return PlanNotice(
            True, "circle-pause", "soon", f"{found.plan_name} is paused.",
            f"Nothing is billed, and {after} meanwhile. {_credits(view)}", "resume", "Resume",
        )  # fmt: skip
    if found.status in ENDED:
        ended = found.ended_at or now
        return PlanNotice(
            True, "info", "", f"{found.plan_name} ended on {day(ended, now)}.",
            f"{after} since. Your data and bought credits are as they were.",
        )  # fmt: skip
    if found.cancel_at is not None:
        return PlanNotice(
            True, "info", "soon", f"{found.plan_name} ends on {day(found.cancel_at, now)}.",
            f"Then {after}. {_credits(view, 'stay')} Nothing is deleted.", "keep", f"Keep {found.plan_name}",
        )  # fmt: skip
    if found.collection:
        until = f" until {day(found.collection_resumes_at, now)}" if found.collection_resumes_at else " for now"
        return PlanNotice(
            True, "circle-pause", "", f"Nothing is charged for {found.plan_name}{until}.",
            "It goes on as before meanwhile.",
        )  # fmt: skip
    if found.scheduled_at is not None:
        what = f"{found.scheduled_plan_name}, paid by the {found.scheduled_interval},"
        return PlanNotice(
            True, "info", "", f"{what} begins on {day(found.scheduled_at, now)}.",
            f"Until then you have {found.plan_name}, which is paid.", "keep", f"Keep {found.plan_name}",
        )  # fmt: skip
    return PlanNotice()


def _credits(view: PlanView, stay: str = "stay usable") -> str:
    """What becomes of bought credits without the plan: those of a part rest while another pays."""
    return "Bought credits rest meanwhile." if view.above_name else f"Bought credits {stay}."


def _past_due(found: SubscriptionAnswer, default: str, now: datetime) -> PlanNotice:
    """Within the grace, or after it."""
    ends = found.grace_ends_at or now
    title = f"The last payment for {found.plan_name} failed."
    if now < ends:
        text = (
            f"The plan stays until {day(ends, now)}, {clock(ends)} UTC ({in_days(ends, now)}); then the limits of "
            f"{default} hold until it is paid. Bought credits stay usable."
        )
        return PlanNotice(True, "triangle-alert", "soon", title, text, "portal", "Pay or change the card")
    text = f"The limits of {default} hold since {day(ends, now)}, until it is paid. Bought credits stay usable."
    return PlanNotice(True, "triangle-alert", "blocked", title, text, "portal", "Pay or change the card")


def _limit(use: LimitUse, formats: Formats) -> LimitRow:
    name = WORDS[use.limit]
    if use.limit is Limit.CENSUS:
        size = "any number" if use.maximum is None else f"up to {formats.number(use.maximum)}"
        return LimitRow(name, size, "set for you" if use.overridden else "")
    used = formats.number(use.used)
    if use.maximum is None:
        return LimitRow(name, used, "unlimited, set for you" if use.overridden else "unlimited")
    if use.maximum == 0:
        return LimitRow(name, "not included" if not use.used else used, tone="quiet" if not use.used else "blocked")
    share = min(PERCENT, PERCENT * use.used // use.maximum)
    tone = "blocked" if use.over else ""
    note = f"of {formats.number(use.maximum)}{', set for you' if use.overridden else ''}"
    return LimitRow(name, used, note, f"{share}%", tone)
