"""What an organization says about itself, what is known of it, and how it ends, as the screen shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from billing_app.domain.organizations.limits import Limit, LimitUse
from billing_app.services.common import places
from billing_app.services.organizations.views import OrganizationPageView, ProfileView
from billing_app.services.subscriptions.views_endings import EndingAnswer, PaidThingAnswer
from billing_app.ui.kit.formats import Formats, clock, day, long_day
from billing_app.ui.kit.records import Field

FIELDS = ("name", "type", "description", "size", "color", "logo", "subdomain", "timezone", "country")
"""What the form sends."""


@dataclass(frozen=True)
class ProfileScreen:
    """What the organization says about itself, as the form has it; and what is known of it."""

    name: str = ""
    type: str = ""
    description: str = ""
    size: str = ""
    color: str = ""
    logo: str = ""
    logo_visible: bool = False
    subdomain: str = ""
    timezone: str = ""
    country: str = ""
    facts: list[Field] = field(default_factory=list)
    money: list[Field] = field(default_factory=list)
    said: list[Field] = field(default_factory=list)
    """The same as the form, for those who only read."""
    web_address: str = ""
    """Why a web address of its own is not in use; empty where the plan includes one."""


def profile_screen(view: OrganizationPageView, formats: Formats) -> ProfileScreen:
    """The profile for one person; what only those see who buy is empty for others."""
    profile, said = view.profile, view.profile.profile
    counts = profile.counts
    paid = profile.plan_name if profile.payer == profile.address else f"{profile.plan_name}, of {profile.payer_name}"
    facts = [
        Field("Address", profile.address),
        Field("Plan", paid),
        *([Field("Part of", profile.parents[0][1])] if profile.parents else []),
        Field("Members", formats.number(counts.members)),
        Field("Sub-organizations", formats.number(counts.sub_orgs)),
        Field("Open processes", formats.number(counts.processes)),
        Field("Largest census", formats.number(counts.census_size)),
        Field("SMS this period", formats.number(counts.sms_used)),
        Field("E-mail reminders this period", formats.number(counts.email_reminders_used)),
        Field("Created", day(profile.created_at, view.now)),
        Field("Time there now", clock(view.now.astimezone(places.zone(said["timezone"])))),
    ]
    allowed = limit_use(view, Limit.CUSTOM_URL)
    return ProfileScreen(
        name=profile.name,
        facts=facts,
        money=_money(profile, view.now, formats),
        said=[
            Field(label, said[name])
            for name, label in (
                ("type", "Type"), ("description", "Description"), ("size", "Size"), ("timezone", "Time zone"),
                ("country", "Country"), ("subdomain", "Web address"), ("logo", "Logo"),
            )
            if said[name]
        ],
        web_address="" if allowed is None or allowed.fits() else
        f"The plan {profile.plan_name} has no web address of your own: this is kept, and in use once a plan does.",
        logo_visible=said["logo"].startswith("/") or said["logo"].startswith(f"{view.public_url.rstrip('/')}/"),
        **said,
    )  # fmt: skip


def _money(profile: ProfileView, now: datetime, formats: Formats) -> list[Field]:
    money = profile.money
    if money is None:
        return []
    fields = [
        Field("Stripe customer", money.stripe_customer_id or "none yet", "" if money.stripe_customer_id else "quiet"),
        Field("Subscription", money.stripe_subscription_id or "none", "" if money.stripe_subscription_id else "quiet"),
        Field("Tokens used this month", formats.number(money.monthly_consumed_tokens)),
        Field("Tokens used in 12 months", formats.number(money.yearly_consumed_tokens)),
    ]
    if money.subscribed_at:
        fields.append(Field("Subscribed", day(money.subscribed_at, now)))
    if money.renews_at:
        fields.append(Field("Renews", day(money.renews_at, now)))
    return fields


def limit_use(view: OrganizationPageView, limit: Limit) -> LimitUse | None:
    """How much of one limit is taken."""
    return next((use for use in view.limits if use.limit is limit), None)


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


STANDINGS = {"paid": "paid until", "trial": "free until", "owed": "unpaid for the period to"}


def _paid(thing: PaidThingAnswer, formats: Formats) -> Field:
    money = formats.money(thing.price_cents, thing.currency.upper())
    if thing.kind == "top_up":
        return Field(f"{KINDS[thing.kind]} of {thing.name}", f"up to {money} a month")
    if thing.kind == "order":
        return Field(f"{KINDS[thing.kind]}: {thing.name}", money)
    until = f", {STANDINGS[thing.state]} {long_day(thing.until)}" if thing.until else ""
    return Field(f"{KINDS[thing.kind]} {thing.name}", f"{money} per {thing.interval}{until}")
