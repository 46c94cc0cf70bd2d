"""All plans side by side: what each costs, what it includes, and what the button under it does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from billing_app.domain.catalogue import Plan, VotingType
from billing_app.domain.purchases.subscriptions import BillingInterval, When, price_cents, when
from billing_app.services.subscriptions.views_plan import PlanView, SubscriptionAnswer
from billing_app.ui.kit.formats import Formats

MONTHS = 12
YES, NO = "yes", "no"


@dataclass(frozen=True)
class CardLine:
    """What a plan has of one thing: a figure, or yes or no. A group's head has only a label."""

    label: str = ""
    value: str = ""
    mark: str = ""
    head: bool = False


@dataclass(frozen=True)
class PlanCard:
    """A plan beside the others. `deed` is "subscribe", "change", "cancel", or empty where there is nothing to do."""

    id: str = ""
    name: str = ""
    description: str = ""
    price: str = ""
    per: str = ""
    note: str = ""
    current: bool = False
    deed: str = ""
    action: str = ""
    primary: bool = False
    refusal: str = ""
    lines: list[CardLine] = field(default_factory=list)


def cards(
    view: PlanView, running: SubscriptionAnswer | None, interval: str, formats: Formats, refusal: str
) -> list[PlanCard]:
    """One card per plan; at most one of them, the next larger, has the page's primary button."""
    rhythm = BillingInterval(interval)
    larger = "" if view.payer_name else next((plan.id for plan in view.plans if _is_larger(view, plan, rhythm)), "")
    calm = running is None or running.status in ("active", "trialing")
    return [_card(view, running, plan, rhythm, formats, refusal, calm and plan.id == larger) for plan in view.plans]


def _is_larger(view: PlanView, plan: Plan, rhythm: BillingInterval) -> bool:
    own, its = price_cents(view.chosen, rhythm), price_cents(plan, rhythm)
    return its is not None and own is not None and its > own


def _card(
    view: PlanView,
    running: SubscriptionAnswer | None,
    plan: Plan,
    rhythm: BillingInterval,
    formats: Formats,
    refusal: str,
    primary: bool,
) -> PlanCard:
    price, per, note = _price(view, plan, rhythm, formats)
    deed, action = _deed(view, running, plan, rhythm)
    return PlanCard(
        id=plan.id,
        name=plan.name,
        description=plan.description,
        price=price,
        per=per,
        note=note,
        current=plan.id == view.plan.id and not view.payer_name,
        deed=deed,
        action=action,
        primary=primary and deed in ("subscribe", "change"),
        refusal=(refusal or _why_not(view, running)) if deed else "",
        lines=list(_lines(view, plan, formats)),
    )


def _price(view: PlanView, plan: Plan, rhythm: BillingInterval, formats: Formats) -> tuple[str, str, str]:
    cents = price_cents(plan, rhythm)
    if cents is None:
        return "By agreement", "", ""
    if not cents:
        return formats.money(0, view.currency), "", "for ever"
    trial = f"{plan.trial_days} days free first" if plan.trial_days and view.may_try else ""
    if rhythm is BillingInterval.MONTH:
        return formats.money(cents, view.currency), "per month", trial
    month = plan.prices.month_cents
    saved = month * MONTHS - cents if month else 0
    save = f"saves {formats.money(saved, view.currency)}" if saved > 0 else ""
    return formats.money(cents, view.currency), "per year", " \N{MIDDLE DOT} ".join(filter(None, (save, trial)))


def _deed(view: PlanView, running: SubscriptionAnswer | None, plan: Plan, rhythm: BillingInterval) -> tuple[str, str]:
    cents = price_cents(plan, rhythm)
    if running is None:
        held = plan.id == view.plan.id and not view.payer_name
        if held or not cents or plan.retired:
            return "", ""
        return "subscribe", f"Try {plan.name}" if plan.trial_days and view.may_try else f"Choose {plan.name}"
    if plan.id == running.plan:
        if rhythm == running.interval or not cents:
            return "", ""
        return "change", "Pay by the year" if rhythm is BillingInterval.YEAR else "Pay by the month"
    if plan.default:
        return ("", "") if running.cancel_at is not None else ("cancel", f"Go back to {plan.name}")
    if not cents or plan.retired:
        return "", ""
    at = When.NOW
    if running.status != "trialing":
        at = when(view.chosen, BillingInterval(running.interval), plan, rhythm)
    return "change", f"Upgrade to {plan.name}" if at is When.NOW else f"Change to {plan.name}"


def _why_not(view: PlanView, running: SubscriptionAnswer | None) -> str:
    """Why nothing can be changed at the moment."""
    if running is not None and running.status in ("past_due", "unpaid"):
        return "A payment for the current plan is past due: pay that first."
    if running is not None and running.status == "paused":
        return "The plan is paused: resume it first."
    return ""


def _lines(view: PlanView, plan: Plan, formats: Formats) -> Iterable[CardLine]:
    yield CardLine("Included every month", head=True)
    for metric in view.metrics:
        quantity = plan.allowance(metric.id)
        if quantity is None:
            yield CardLine(metric.name, "unlimited")
        elif not quantity:
            yield CardLine(metric.name, mark=NO)
        else:
            yield CardLine(metric.name, formats.size(metric, quantity))
    yield CardLine("Limits", head=True)
    limits = plan.limits
    counts = (
        ("Members", limits.memberships),
        ("Sub-organizations", limits.sub_orgs),
        ("Open processes", limits.max_processes),
        ("Voters per process", limits.max_census_size),
        ("Drafts", limits.drafts),
    )
    for name, count in counts:
        yield _count(name, count, formats)
    yield CardLine("Own web address", mark=YES if limits.custom_url else NO)
    yield CardLine("Voting", head=True)
    for voting in VotingType:
        yield CardLine(voting.value.capitalize(), mark=YES if voting in plan.voting_types else NO)
    yield CardLine("Features", head=True)
    for feature in view.features:
        yield CardLine(feature.name, mark=YES if feature.id in plan.features else NO)


def _count(name: str, count: int | None, formats: Formats) -> CardLine:
    if count is None:
        return CardLine(name, "unlimited")
    return CardLine(name, formats.number(count)) if count else CardLine(name, mark=NO)
