"""One organization, for operators: everything about it, and what giving money back does to its credits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation

from billing_app.domain.common.money import exponent
from billing_app.services.operators.views_customer import CustomerView, GrantLine, OrderLine, OverrideLine, StandingLine
from billing_app.services.reversals.views import RefundPreviewAnswer
from billing_app.ui import operator_routes, routes
from billing_app.ui.kit.formats import Formats, long_day, moment_text
from billing_app.ui.kit.records import METER_STATES, Field, MetricLabel, grant_name, grant_note, metric_label
from billing_app.ui.operators.catalogue.grids import LIMITS
from billing_app.ui.operators.organizations.text import IssueRow, issue_rows
from billing_app.ui.operators.stripe.events_text import EventRow, state_of


@dataclass(frozen=True)
class RefundScreen:
    """What a refund would do, beside the list. `amount` is what stands in its field."""

    visible: bool = False
    grant_id: str = ""
    title: str = ""
    amount: str = ""
    currency: str = ""
    limit: str = ""
    effects: list[Field] = field(default_factory=list)
    sentence: str = ""
    button: str = ""
    warning: str = ""
    why_not: str = ""
    close_href: str = ""


def cents_of(text: str, currency: str) -> int | None:
    """What somebody typed as an amount of money, in the smallest unit; None for what is none."""
    try:
        amount = Decimal(text.strip().replace(",", ".")) * 10 ** exponent(currency)
    except InvalidOperation:
        return None
    if not amount.is_finite() or amount != amount.to_integral_value() or not 0 < amount < 10**15:
        return None
    return int(amount)


def amount_text(cents: int, currency: str) -> str:
    """An amount as it stands in a field: "6.50"."""
    digits = exponent(currency)
    return f"{Decimal(cents).scaleb(-digits):.{digits}f}"


def refund_screen(
    view: CustomerView, formats: Formats, grant: str, amount: str, problem: str, here: str
) -> RefundScreen:
    """The refund of the opened grant; `amount` is what was typed, and `problem` why that is not an amount."""
    line = next((each for each in view.grants if each.id == grant), None)
    if line is None:
        return RefundScreen()
    currency = line.label.currency
    name = grant_name(line.label, line.metric, formats)
    base = RefundScreen(
        visible=True,
        grant_id=grant,
        title=f"Refund {name}",
        amount=amount or (amount_text(line.refundable_cents, currency) if line.refundable_cents else ""),
        currency=currency,
        limit=f"of {formats.money(line.refundable_cents, currency)} that can be given back",
        close_href=here,
        why_not=problem or view.why_not,
    )
    preview = view.preview
    if preview is None or problem:
        return base
    return _with_effects(base, preview, view, formats)


def _with_effects(
    base: RefundScreen, preview: RefundPreviewAnswer, view: CustomerView, formats: Formats
) -> RefundScreen:
    """What giving the money back does to the credits, before anything is done."""
    metric = view.preview_metric
    if metric is None:
        return base
    money = formats.money(preview.amount_cents, preview.currency.upper())
    effects = [Field("Taken back, not used yet", formats.named(metric, preview.taken_back))]
    if preview.ended:
        effects.append(Field("Had ended already", formats.named(metric, preview.ended), "quiet"))
    if preview.debt:
        effects.append(Field("Used already: becomes debt", formats.named(metric, preview.debt), "blocked"))
    if preview.forgiven:
        effects.append(Field("Used already: forgiven", formats.named(metric, preview.forgiven), "quiet"))
    sentence = "The next credits that they buy pay the debt first." if preview.debt else ""
    warning = "The payment is in dispute. Stripe may refuse to give it back twice." if preview.disputed else ""
    return replace(base, effects=effects, sentence=sentence, button=f"Give back {money}", warning=warning)


ORDERS = {"open": ("Open", "credits"), "paid": ("Paid", "quiet"), "expired": ("Expired", "quiet"),
          "failed": ("Failed", "soon")}  # fmt: skip


@dataclass(frozen=True)
class StandingRow:
    """One metric."""

    metric: MetricLabel = field(default_factory=MetricLabel)
    used: str = ""
    included: str = ""
    left: str = ""
    held: str = ""
    debt: str = ""
    state: str = ""
    tone: str = ""


@dataclass(frozen=True)
class PaidGrantRow:
    """One grant with its money."""

    metric: MetricLabel = field(default_factory=MetricLabel)
    name: str = ""
    note: str = ""
    badge: str = ""
    badge_tone: str = ""
    left: str = ""
    left_note: str = ""
    since: str = ""
    until: str = ""
    refund_href: str = ""
    chosen: bool = False
    dim: bool = False


@dataclass(frozen=True)
class OrderRow:
    """One purchase."""

    when: str = ""
    what: str = ""
    total: str = ""
    state: str = ""
    tone: str = ""


@dataclass(frozen=True)
class OverrideRow:
    """What stands in place of the plan."""

    label: str = ""
    value: str = ""
    until: str = ""
    why: str = ""


@dataclass(frozen=True)
class CustomerScreen:
    """The page."""

    ready: bool = False
    name: str = ""
    facts: list[Field] = field(default_factory=list)
    pages_href: str = ""
    audit_href: str = ""
    issues: list[IssueRow] = field(default_factory=list)
    overrides: list[OverrideRow] = field(default_factory=list)
    payer: str = ""
    """Who pays for it, if another does, and that one's page."""
    payer_href: str = ""
    standings: list[StandingRow] = field(default_factory=list)
    grants: list[PaidGrantRow] = field(default_factory=list)
    orders: list[OrderRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    events_href: str = ""
    refund: RefundScreen = field(default_factory=RefundScreen)


def customer_screen(view: CustomerView, formats: Formats, grant: str, amount: str, problem: str = "") -> CustomerScreen:
    """The page as the screen has it; `amount` is what was typed, and `problem` why that is not an amount."""
    here = operator_routes.organization(view.address)
    return CustomerScreen(
        ready=True,
        name=view.name,
        facts=[
            Field("Plan", f"{view.plan_name}, paid by {view.payer_name}" if view.payer else view.plan_name),
            *_subscription(view, formats),
            *_ending(view),
            Field("Members", formats.number(view.members)),
            Field("Address", view.address),
            Field("Since", long_day(view.created_at)),
            Field("Stripe customer", view.customer_id or "none yet", "" if view.customer_id else "quiet"),
            *_written_to(view),
        ],
        pages_href=routes.overview(view.address),
        audit_href=operator_routes.audit(organization=view.address),
        issues=issue_rows(view.troubles, formats, view.now),
        overrides=[_override(each) for each in view.overrides],
        payer=view.payer_name,
        payer_href=operator_routes.organization(view.payer) if view.payer else "",
        standings=[_standing(each, formats) for each in view.standings],
        grants=[_grant(each, view, formats, each.id == grant) for each in view.grants],
        orders=[_order(each, formats) for each in view.orders],
        events=[
            EventRow(
                when=moment_text(line.received_at),
                type=line.type,
                object_id=line.object_id,
                state=state_of(line)[0],
                tone=state_of(line)[1],
                href=operator_routes.stripe_events(organization=view.address, event=line.id),
            )
            for line in view.events
        ],
        events_href=operator_routes.stripe_events(organization=view.address),
        refund=refund_screen(view, formats, grant, amount, problem, here),
    )


def _written_to(view: CustomerView) -> list[Field]:
    """The name and e-mail of its invoices, as somebody wrote them at Stripe."""
    said = ", ".join(each for each in (view.stripe_name, view.stripe_email) if each)
    return [Field("Invoices go to", said)] if said else []


def _ending(view: CustomerView) -> list[Field]:
    """That it ends, or has ended, and whether Stripe knows."""
    found = view.ending
    if found is None or found.decided_at is None:
        return []
    day = long_day(found.ends_at)
    if found.scope == "payments":
        said = f"deactivated, pays until {day}"
    else:
        said = f"ended {day}" if found.done else f"ends {day}"
    return [Field("Ending", said if found.told else f"{said}; Stripe is not told yet", "soon")]


def _subscription(view: CustomerView, formats: Formats) -> list[Field]:
    """What is paid for the plan, and when next."""
    found = view.subscription
    if found is None:
        return []
    price = f"{formats.money(found.price_cents, found.currency.upper())} per {found.interval}"
    when = f"ends {long_day(found.ends_at)}" if found.ends_at else f"renews {long_day(found.renews_at)}"
    said = {"active": when, "past_due": "not paid", "unpaid": "not paid", "trialing": f"trial, {when}"}
    notes = ["nothing is collected"] if found.collection else []
    notes += [f"latest invoice {'voided' if found.given_up == 'void' else 'not collected'}"] if found.given_up else []
    more = "".join(f", {note}" for note in notes)
    past_due = found.status in ("past_due", "unpaid")
    return [Field("Subscription", f"{price}, {said.get(found.status, found.status)}{more}", "soon" if past_due else "")]


def _override(line: OverrideLine) -> OverrideRow:
    limits = {name: label for name, label, _ in LIMITS}
    switch = line.kind != "limit" or line.name == "customURL"
    value = "unlimited" if line.value is None else ("on" if line.value else "off") if switch else f"{line.value:,}"
    until = f"until {long_day(line.ends_at)}" if line.ends_at else "without end"
    return OverrideRow(line.label or limits.get(line.name, line.name), value, until, line.reason)


def _standing(line: StandingLine, formats: Formats) -> StandingRow:
    state, tone = METER_STATES[line.state]
    metric = line.metric
    return StandingRow(
        metric=metric_label(metric),
        used=formats.quantity(metric, line.used),
        included="unlimited" if line.allowance is None else formats.quantity(metric, line.allowance),
        left=formats.quantity(metric, line.left),
        held=formats.quantity(metric, line.held) if line.held else "",
        debt=formats.quantity(metric, line.debt) if line.debt else "",
        state=state,
        tone=tone,
    )


def _badge(line: GrantLine, formats: Formats) -> tuple[str, str]:
    money = line.label.currency.lower()
    if line.disputed:
        return "Disputed", "soon"
    if line.lost_cents:
        return f"Lost {formats.money(line.lost_cents, money.upper())}", "quiet"
    if line.refunded_cents >= line.label.paid_cents > 0:
        return "Refunded", "quiet"
    if line.refunded_cents:
        return f"{formats.money(line.refunded_cents, money.upper())} refunded", "quiet"
    return ("Voided", "quiet") if line.voided else ("", "")


def _grant(line: GrantLine, view: CustomerView, formats: Formats, chosen: bool) -> PaidGrantRow:
    badge, tone = _badge(line, formats)
    notes = [f"{formats.quantity(line.metric, line.held)} on hold"] if line.held else []
    notes += [f"{formats.quantity(line.metric, line.debt)} owed"] if line.debt else []
    may = line.refundable_cents > 0 and view.selling
    return PaidGrantRow(
        metric=metric_label(line.metric),
        name=grant_name(line.label, line.metric, formats),
        note=grant_note(line.label, formats),
        badge=badge,
        badge_tone=tone,
        left=formats.quantity(line.metric, line.left),
        left_note=", ".join(notes) or f"of {formats.size(line.metric, line.quantity)}",
        since=long_day(line.effective_at),
        until=long_day(line.expires_at) if line.expires_at else "never",
        refund_href=operator_routes.organization(view.address, grant=line.id) if may else "",
        chosen=chosen,
        dim=not (line.left or line.held),
    )


def _order(line: OrderLine, formats: Formats) -> OrderRow:
    state, tone = ORDERS[line.state]
    kinds = {"packs": "Packs", "plan": "Plan"}
    return OrderRow(
        when=moment_text(line.created_at),
        what=kinds.get(line.kind, line.kind.capitalize()),
        total=formats.money(line.total_cents, line.currency.upper()),
        state=state,
        tone=tone,
    )
