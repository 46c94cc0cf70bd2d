"""What an organization says about itself, and what is known of it, as the screen shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from billing_app.domain.organizations.limits import Limit, LimitUse
from billing_app.services.common import places
from billing_app.services.organizations.views import OrganizationPageView, ProfileView
from billing_app.ui.kit.formats import Formats, clock, day
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
