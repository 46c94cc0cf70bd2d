"""How an organization ends, and what it pays for until then, as the screen shows it."""

from __future__ import annotations

from dataclasses import dataclass, field

from billing_app.services.subscriptions.views_endings import EndingAnswer, PaidThingAnswer
from billing_app.ui.kit.formats import Formats, long_day
from billing_app.ui.kit.records import Field

KINDS = {"plan": "Plan", "pack": "Renewing", "top_up": "Auto top-up", "order": "Open order"}


@dataclass(frozen=True)
class EndingScreen:
    """`state` is empty, "ending" or "over"; then `title` and `text` say so, and `problem` what Stripe does not know."""

    offered: bool = False
    state: str = ""
    title: str = ""
    text: str = ""
    problem: str = ""
    may_keep: bool = False
    pays: list[Field] = field(default_factory=list)
    nothing: str = ""
    with_it: list[str] = field(default_factory=list)
    day: str = ""
    at_end: str = ""
    at_once: str = ""


def ending_screen(view: EndingAnswer | None, formats: Formats, *, operator: bool, active: bool) -> EndingScreen:
    """The panel and the dialog; nothing for whoever may not decide."""
    if view is None:
        return EndingScreen()
    day = long_day(view.ends_at)
    state, title, text = _state(view, day, active)
    pays = [_paid(each, formats) for each in view.pays]
    pays += [
        Field(f"{part.name}: {each.label}", each.value)
        for part in view.parts
        for each in (_paid(thing, formats) for thing in part.pays)
    ]
    return EndingScreen(
        offered=not state and active,
        state=state,
        title=title,
        text=text,
        problem=f"Stripe could not be told yet; it is tried again by itself. {view.error}" if view.error else "",
        may_keep=state == "ending" or (state == "over" and operator),
        pays=pays,
        nothing="" if pays else "It pays for nothing.",
        with_it=[part.name for part in view.parts],
        day=day,
        at_end=f"On {day}: what is paid stays until it has run out, and nothing renews.",
        at_once="Now: everything stops at once. What is paid is not given back.",
    )


def _state(view: EndingAnswer, day: str, active: bool) -> tuple[str, str, str]:
    if view.decided_at is None:
        return "", "", ""
    by = f" {view.reason}" if view.reason else ""
    if view.scope == "payments":
        return "over", "What it pays for ends.", f"It was deactivated: nothing renews, and all is over on {day}."
    if view.done or not active:
        return "over", f"This organization ended on {day}.", f"Credits, ledger and history stay readable.{by}"
    return "ending", f"This organization ends on {day}.", f"Until then everything works; nothing renews after it.{by}"


STANDINGS = {"paid": "paid until", "trial": "free until", "owed": "not paid for the time to"}


def _paid(thing: PaidThingAnswer, formats: Formats) -> Field:
    money = formats.money(thing.price_cents, thing.currency.upper())
    if thing.kind == "top_up":
        return Field(f"{KINDS[thing.kind]} of {thing.name}", f"up to {money} a month")
    if thing.kind == "order":
        return Field(f"{KINDS[thing.kind]}: {thing.name}", money)
    until = f", {STANDINGS[thing.state]} {long_day(thing.until)}" if thing.until else ""
    return Field(f"{KINDS[thing.kind]} {thing.name}", f"{money} per {thing.interval}{until}")
