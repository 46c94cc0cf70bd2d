"""What is bought again by itself: from the view to what the screen shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from billing_app.domain.catalogue.quantities import in_field
from billing_app.domain.common.money import exponent, major_amount
from billing_app.domain.purchases.top_ups import packs_needed_for as needed
from billing_app.services.subscriptions.views_recurring import RenewalsView, RenewingPackView, TopUpPack, TopUpView
from billing_app.ui.kit.formats import Formats, clock, day, long_day
from billing_app.ui.kit.records import Choice, MetricLabel, in_a_sentence, metric_label
from billing_app.ui.kit.values import Kind, Spec
from billing_app.ui.kit.values import typed as parse

GIVEN_UP = {"void": "cancelled", "uncollectible": "written off"}
"""What became of an invoice that nobody is asked for any more, as its payer would say."""

TIMES = "\N{MULTIPLICATION SIGN}"

NAMES = {"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "discover": "Discover"}
"""Brands of cards as their owners write them."""

STATES = {
    "on": ("On", "good"),
    "waiting_for_card": ("Needs a card", "soon"),
    "resting": ("Card failed", "soon"),
    "capped": ("Cap reached", "soon"),
    "turned_off": ("Turned off", "blocked"),
}
"""Label and tone of the badge; off is quiet."""


@dataclass(frozen=True)
class RenewingRow:
    """A pack that renews, or ends with the period that is paid."""

    id: str = ""
    metric: MetricLabel = field(default_factory=MetricLabel)
    name: str = ""
    price: str = ""
    when: str = ""
    tone: str = ""
    note: str = ""
    """What changes with the next renewal, or why it was not paid."""
    count: int = 1
    """From the next renewal on."""
    cancelled: bool = False
    pay_url: str = ""
    cancel_title: str = ""
    cancel_text: str = ""


@dataclass(frozen=True)
class TopUpScreen:
    """The auto top-up of the chosen metric."""

    visible: bool = False
    metric: str = ""
    title: str = ""
    on: bool = False
    state: str = ""
    tone: str = ""
    sentence: str = ""
    note: str = ""
    has_card: bool = False
    wants_card: bool = False
    lead: str = ""
    """What the dialog says above its fields."""
    unit: str = ""
    threshold: str = ""
    pack: str = ""
    packs: list[Choice] = field(default_factory=list)
    count: str = "1"
    cap: str = ""
    currency: str = ""
    consent: str = ""
    at_once: str = ""
    """What turning it on buys right away."""


@dataclass(frozen=True)
class RenewalsScreen:
    """Everything that is bought again; empty for who may not buy."""

    visible: bool = False
    rows: list[RenewingRow] = field(default_factory=list)
    total: str = ""
    top_up: TopUpScreen = field(default_factory=TopUpScreen)


def renewals_screen(view: RenewalsView | None, formats: Formats) -> RenewalsScreen:
    """The panels of renewing packs and auto top-up."""
    if view is None:
        return RenewalsScreen()
    going_on = [one for one in view.packs if one.next_count]
    total = sum(one.price_cents * one.next_count for one in going_on)
    return RenewalsScreen(
        visible=True,
        rows=[_row(one, view.now, formats) for one in view.packs],
        total=f"{formats.money(total, going_on[0].currency)} a month, before tax" if going_on else "",
        top_up=_top_up(view.top_up, view.now, formats) if view.top_up else TopUpScreen(),
    )


def _row(one: RenewingPackView, now: datetime, formats: Formats) -> RenewingRow:
    name = _name(one, one.next_count or one.count, formats)
    when, tone, note = _when(one, now, formats)
    price = formats.money(one.price_cents * (one.next_count or one.count), one.currency)
    return RenewingRow(
        id=one.id,
        metric=metric_label(one.metric),
        name=name,
        price=f"{price} a month",
        when=when,
        tone=tone,
        note=note,
        count=one.next_count or one.count,
        cancelled=not one.next_count,
        pay_url=one.pay_url if one.past_due else "",
        cancel_title=f"Stop renewing {name}?",
        cancel_text=(
            f"It is not charged again. What was paid for stays: every credit is yours until its own end. "
            f"Until {long_day(one.renews_at)} you can take this back."
        ),
    )


def _when(one: RenewingPackView, now: datetime, formats: Formats) -> tuple[str, str, str]:
    """When it is next charged or ends, the tone of that, and what else is to be known."""
    if one.past_due:
        return "Not paid", "blocked", one.failure or "The last renewal was not paid."
    if not one.next_count:
        return f"Ends {day(one.renews_at, now)}", "quiet", "not charged again"
    if one.not_collected:
        until = f" until {day(one.collection_resumes_at, now)}" if one.collection_resumes_at else " for now"
        return "Not charged", "soon", f"Nothing is charged for it{until}, and it brings no credits meanwhile."
    changed = one.next_count != one.count
    note = f"now {_name(one, one.count, formats)}" if changed else ""
    if one.given_up:
        note = f"The last invoice was {GIVEN_UP[one.given_up]}: no credits came of it."
    elif one.lost:
        note = "A payment for it was disputed and is lost, so its credits were taken back."
    return f"Renews {day(one.renews_at, now)}", "soon" if one.given_up or one.lost else "", note


def _name(one: RenewingPackView, count: int, formats: Formats) -> str:
    name = formats.named(one.metric, one.quantity)
    if not one.metric.counts:
        name += f" {in_a_sentence(one.metric)}"
    return name if count == 1 else f"{count} {TIMES} {name}"


def _top_up(one: TopUpView, now: datetime, formats: Formats) -> TopUpScreen:
    label, tone = STATES.get(one.state, ("Off", ""))
    bought = formats.named(one.metric, one.pack.quantity * one.count)
    price = formats.money(one.pack.price_cents * one.count, one.currency)
    cap = formats.money(one.cap_cents, one.currency)
    amounts = f"{formats.size(one.metric, one.threshold)}, it buys {bought} for {price}, at most {cap} a month"
    card = f"{NAMES.get(one.card.brand, one.card.brand.title())} {one.card.last4}" if one.card else ""
    with_card = f", with {card}." if card else "."
    off = one.state in ("off", "turned_off")
    lead = "Off. When on and" if off else "When"
    return TopUpScreen(
        visible=True,
        metric=one.metric.id,
        title=f"Auto top-up for {in_a_sentence(one.metric)}",
        on=not off,
        state=label,
        tone=tone,
        sentence=f"{lead} {in_a_sentence(one.metric)} credits fall to {amounts}{with_card}",
        note=_note(one, now, formats),
        has_card=one.card is not None,
        wants_card=one.state in ("waiting_for_card", "resting", "turned_off"),
        lead=f"Credits are bought as soon as they run low, so that nothing stops. {_paid_by(card)}",
        unit=one.metric.display_unit,
        threshold=in_field(one.threshold, one.metric),
        pack=one.pack.id,
        packs=[_choice(each, one, formats) for each in one.packs],
        count=str(one.count),
        cap=_typed(one.cap_cents, one.currency),
        currency=one.currency,
        consent=f"I agree that {card or 'the card that I save next'} is charged without asking me again, up to the "
        "monthly cap, until this is turned off.",
        at_once=at_once(one, {}, formats),
    )


def at_once(one: TopUpView, typed: Mapping[str, str], formats: Formats) -> str:
    """What turning it on with these amounts buys right away; nothing where credits have not fallen so low.

    `typed` has what somebody changed: threshold, count, pack, cap. What is not an amount is said when it is sent.
    """
    threshold = _number(typed.get("threshold"), one.threshold, one.metric.factor)
    count = _number(typed.get("count"), one.count)
    cap = parse(typed["cap"], Spec(Kind.MONEY, currency=one.currency)) if "cap" in typed else one.cap_cents
    pack = next((each for each in one.packs if each.id == typed.get("pack", one.pack.id)), one.pack)
    if one.left is None or threshold is None or not count or one.left > threshold:
        return ""
    if one.state == "capped" and not typed:
        return ""  # the panel says why it waits
    bought = needed(one.left, threshold, pack.quantity, count)
    left = formats.named(one.metric, one.left) if one.left > 0 else f"No {in_a_sentence(one.metric)} credits"
    price = formats.money(pack.price_cents * bought, one.currency)
    packs = "1 pack" if bought == 1 else f"{bought} packs"
    if isinstance(cap, int) and pack.price_cents * bought > cap - one.paid_cents:
        room = formats.money(max(0, cap - one.paid_cents), one.currency)
        return f"{left} are left: it would take {packs} for {price} at once, and {room} of this month's cap are left."
    when = "" if one.card else ", as soon as a card is saved"
    return f"{left} are left: with these amounts it buys {packs} at once{when}, for {price}."


def _number(text: str | None, stored: int, factor: int = 1) -> int | None:
    """What was typed, in base units; what is stored where nothing was; None for what is not an amount."""
    found = stored if text is None else parse(text, Spec(Kind.NUMBER, factor=factor))
    return found if isinstance(found, int) else None


def _typed(cents: int, currency: str) -> str:
    """An amount as one would type it: 200, 199.50."""
    whole, rest = divmod(cents, 10 ** exponent(currency))
    return f"{major_amount(cents, currency):f}" if rest else str(whole)


def _paid_by(card: str) -> str:
    if card:
        return f"{card} is charged, and you are notified each time."
    return "You save a card in the next step; it is charged then, and you are notified each time."


def _choice(pack: TopUpPack, one: TopUpView, formats: Formats) -> Choice:
    price = formats.money(pack.price_cents, one.currency)
    return Choice(pack.id, f"{formats.named(one.metric, pack.quantity)} for {price}")


def _note(one: TopUpView, now: datetime, formats: Formats) -> str:
    """What is to be known of its state."""
    spent, whole = formats.money(one.paid_cents, one.currency), formats.money(one.cap_cents, one.currency)
    if one.state == "resting" and one.until is not None:
        return f"{one.failure} It tries again on {day(one.until, now)}, {clock(one.until)} UTC."
    if one.state == "capped" and one.until is not None:
        why = f"{one.failure} It" if one.failure else f"{spent} of {whole} are spent: it"
        return f"{why} goes on on {day(one.until, now)}."
    if one.state == "turned_off":
        return f"It turned itself off: {one.failure}"
    if one.state == "waiting_for_card":
        return "Save a card, and it begins."
    if one.state == "on":
        return f"{spent} of {whole} spent in {now:%B}." if one.paid_cents else "Nothing spent this month."
    return ""
