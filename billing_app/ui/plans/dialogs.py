"""What the plan page asks before it does something: what will happen, when, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from billing_app.domain.purchases.subscriptions import PlanDeed, When
from billing_app.services.subscriptions.views_plan import PlanPreviewAnswer, PlanView, SubscriptionAnswer
from billing_app.ui.kit.formats import Formats, day, long_day
from billing_app.ui.kit.records import Field
from billing_app.ui.plans.text import after_it


@dataclass(frozen=True)
class DialogScreen:
    """A question. `lines` are amounts, `facts` what happens; `tone` of the answering button is "" or "danger"."""

    visible: bool = False
    deed: str = ""
    title: str = ""
    lines: list[Field] = field(default_factory=list)
    total_label: str = ""
    total: str = ""
    facts: list[str] = field(default_factory=list)
    confirm: str = ""
    back: str = "Back"
    tone: str = ""


def change_dialog(seen: PlanPreviewAnswer, view: PlanView, formats: Formats) -> DialogScreen:
    """Before a change of plan: what is charged now, and what from when on."""
    found, now = view.subscription, view.now
    price = f"{formats.money(seen.price_cents, seen.currency)} per {seen.interval}"
    name = seen.plan_name
    if seen.when is When.PERIOD_END:
        kept = found.plan_name if found is not None else "The running plan"
        return DialogScreen(
            True, "change", f"Change to {name} on {day(seen.counts_at, now)}",
            facts=[
                f"{kept} is paid until {long_day(seen.counts_at)} and stays until then.",
                f"From then on {name} costs {price}.",
                "Nothing is charged now. Bought credits stay. You can change your mind until then.",
            ],
            confirm=f"Change on {day(seen.counts_at, now)}",
        )  # fmt: skip
    if found is not None and found.status == "trialing":
        return DialogScreen(
            True, "change", f"Switch the trial to {name}",
            facts=[
                "Nothing is charged during the trial, and it ends when it would have.",
                f"From {long_day(seen.billed_at)} on {name} costs {price}.",
            ],
            confirm=f"Switch to {name}",
        )  # fmt: skip
    lines = [Field(line.description, formats.money(line.amount_cents, seen.currency)) for line in seen.lines]
    if seen.total_cents != seen.due_cents:
        credit = seen.due_cents - seen.total_cents
        label = "Credit that you had" if seen.total_cents > 0 else "Becomes credit for the next invoices"
        lines.append(Field(label, formats.money(credit if seen.total_cents > 0 else -seen.total_cents, seen.currency)))
    due = formats.money(seen.due_cents, seen.currency)
    return DialogScreen(
        True, "change", f"Upgrade to {name}" if found is None or seen.plan != found.plan else "Pay by the year",
        lines=lines,
        total_label="Charged now",
        total=due,
        facts=[
            f"{name} holds at once, with everything it includes for the whole running period.",
            f"Next payment on {long_day(seen.billed_at)}: {price}.",
        ],
        confirm=f"Pay {due} now" if seen.due_cents else "Change now",
    )  # fmt: skip


def deed_dialog(deed: PlanDeed, view: PlanView) -> DialogScreen:
    """Before a cancellation, a pause, and their opposites."""
    found = view.subscription
    if found is None:
        return DialogScreen()
    name, now = found.plan_name, view.now
    if deed is PlanDeed.CANCEL:
        return DialogScreen(
            True, deed, f"End {name}?", facts=_cancelling(found, view, now),
            confirm=f"End on {day(found.period_end, now)}", back=f"Keep {name}", tone="danger",
        )  # fmt: skip
    if deed is PlanDeed.PAUSE:
        return DialogScreen(
            True, deed, f"Pause {name}?",
            facts=[
                f"From now on nothing is billed, and {after_it(view)}.",
                "What is left of the paid period becomes credit for your next invoices.",
                f"Bought credits {_stay(view)}. Resume whenever you like: a new period begins then and is billed.",
            ],
            confirm="Pause now", back=f"Keep {name} running", tone="danger",
        )  # fmt: skip
    if deed is PlanDeed.RESUME:
        return DialogScreen(
            True, deed, f"Resume {name}?",
            facts=["A new period begins now and is billed at once, less the credit that you have.",
                   f"{name} holds again with everything it includes."],
            confirm="Resume now",
        )  # fmt: skip
    return DialogScreen(
        True, deed, f"Keep {name}?",
        facts=[f"It goes on as before and renews on {long_day(found.period_end)}."], confirm=f"Keep {name}",
    )  # fmt: skip


def _stay(view: PlanView) -> str:
    return f"rest while {view.above_name} pays" if view.above_name else "stay usable"


def _cancelling(found: SubscriptionAnswer, view: PlanView, now: datetime) -> list[str]:
    default = view.default_plan.name
    then = f"Then {default} holds: what you have stays, but nothing that {default} does not include can be created."
    if view.above_name:
        then = f"Then {view.above_name} pays for this organization again, and what you have counts against its plan."
    facts = [
        f"{found.plan_name} is paid until {long_day(found.period_end)} and stays until then.",
        then,
        f"Credits that you bought rest while {view.above_name} pays, and still end on their dates."
        if view.above_name
        else "Credits that you bought stay usable for their whole year.",
        "You can change your mind until then.",
    ]
    if found.status == "trialing":
        facts[0] = f"The trial lasts until {day(found.period_end, now)}; nothing will be charged."
    return facts
