"""Entries of the audit log in words: who did what, and what changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from billing_app.services.audit import SYSTEM, Entry
from billing_app.services.views.organization import AuditPage
from billing_app.ui.formats import Formats, clock, day, long_day

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$")
"""Moments as the log writes them down."""

WORDS = {
    "organization.created": "made the organization",
    "organization.changed": "changed the profile",
    "organization.activated": "activated the organization",
    "organization.deactivated": "deactivated the organization",
    "organization.ending": "decided to end the organization",
    "organization.ending_withdrawn": "decided not to end the organization after all",
    "organization.ended": "ended the organization",
    "sub_organization.created": "made the sub-organization",
    "sub_organization.moved": "moved the sub-organization",
    "sub_organization.activated": "activated the sub-organization",
    "sub_organization.deactivated": "deactivated the sub-organization",
    "member.invited": "invited",
    "member.joined": "joined",
    "member.role_changed": "changed the role of",
    "member.removed": "removed",
    "member.left": "left",
    "invitation.renewed": "renewed the invitation of",
    "invitation.withdrawn": "took back the invitation of",
    "invitation.ended": "ended the invitation, which nobody took, of",
    "api_key.created": "made the API key",
    "api_key.revoked": "revoked the API key",
    "plan.changed": "changed the plan",
    "override.set": "overrode",
    "override.ended": "ended the override of",
    "catalogue.saved": "saved the catalogue as",
    "catalogue.corrected": "corrected the catalogue with",
    "gift_card.created": "made gift cards:",
    "gift_card.redeemed": "redeemed the gift card",
    "gift_card.voided": "voided the gift card",
    "credits.converted": "converted tokens into",
    "user.created": "made the user",
    "password.set": "set a password for",
    "sign_in_link.created": "was given a link to sign in by",
    "process.created": "began the process",
    "process.published": "published the process",
    "process.discarded": "discarded the draft",
    "process.closed": "closed the process",
    "process.cancelled": "cancelled the process",
    "features.switched": "switched features",
    "notifications.changed": "changed who is told of what",
    "notifications.person_added": "lets be told",
    "notifications.person_removed": "no longer lets be told",
    "webhook.created": "added the webhook",
    "webhook.deleted": "deleted the webhook",
    "webhook.enabled": "switched on the webhook",
    "webhook.disabled": "switched off the webhook",
    "webhook.secret_changed": "changed the secret of the webhook",
    "subscription.plan_chosen": "chose a plan",
    "subscription.change_cancelled": "took back the change of plan",
    "subscription.paused": "paused the subscription",
    "subscription.resumed": "resumed the subscription",
    "subscription.cancelled": "ended the subscription",
    "subscription.kept": "kept the subscription",
    "customer.changed": "was told by Stripe that invoices go to another name or e-mail of",
    "customer.deleted": "was told by Stripe that the customer is gone:",
    "card.removed": "was told by Stripe that the card is gone:",
    "grant.made": "granted credits",
    "grant.void": "voided the grant",
    "grant.refund": "refunded the grant",
    "grant.dispute": "noted a dispute of the grant",
}
"""Actions as a sentence's middle; others are shown as they are written down."""

CREDITS = {
    "purchase": "bought credits",
    "recurring": "renewed a monthly pack",
    "top_up": "topped up",
    "gift_card": "redeemed a gift card for credits",
    "conversion": "converted tokens into credits",
    "import": "imported credits",
}
"""What making a grant was, by where it came from; what an operator gave was granted."""

WITHOUT_SUBJECT = frozenset(
    {"member.joined", "member.left", "organization.changed", "plan.changed", "grant.made", "features.switched",
     "process.created", "process.published", "process.discarded", "process.closed", "process.cancelled"}
)  # fmt: skip
"""Whose subject would only repeat who did it, or what the values say."""

NOBODY = {
    SYSTEM: "The console",
    "purchase": "Somebody",
    "recurring": "The console",
    "top_up": "The console",
    "gift_card": "The console",
    "conversion": "The console",
    "import": "The console",
    "stripe": "Stripe",
    "command line": "An operator at the command line",
}
"""What did it where no person or key did."""

OVERRIDDEN = {"limit": "the limit", "feature": "the feature", "voting_type": "the way of voting"}
"""Kinds of overrides as people call them."""

LONGEST = 80
"""Characters of a value; what is longer is cut with an ellipsis."""


@dataclass(frozen=True)
class AuditRow:
    """One entry: "Nora invited kim@...", its values and its moment."""

    who: str = ""
    did: str = ""
    subject: str = ""
    changes: list[str] = field(default_factory=list)
    when: str = ""
    time: str = ""
    exact: str = ""


def audit_rows(page: AuditPage, now: datetime, formats: Formats) -> list[AuditRow]:
    """The lines of a page of the log, with figures in the units in which people read them."""
    return [_row(entry, now, Figures(page, formats)) for entry in page.entries]


class Figures:
    """Values of the log as a person reads them: quantities in display units, money with its currency."""

    def __init__(self, page: AuditPage, formats: Formats) -> None:
        """What the catalogue says of the figures of this page."""
        self.metrics = {metric.id: metric for metric in page.metrics}
        self.currency, self.formats = page.currency, formats

    def told(self, name: str, values: Mapping[str, Any]) -> tuple[str, str]:
        """A value's label and text."""
        value = values[name]
        metric = self.metrics.get(str(values.get("metric")))
        if isinstance(value, int) and not isinstance(value, bool):
            if name.endswith("_cents"):
                return name.removesuffix("_cents").replace("_", " "), self.formats.money(value, self.currency.upper())
            if name == "quantity" and metric is not None:
                return name, self.formats.size(metric, value)
        if name == "metric" and metric is not None:
            return name, metric.name
        return name.replace("_", " "), _value(value)


def _row(entry: Entry, now: datetime, figures: Figures) -> AuditRow:
    return AuditRow(
        who=NOBODY.get(entry.actor, entry.who),
        did=_did(entry),
        subject="" if entry.action in WITHOUT_SUBJECT else _named(entry),
        changes=_changes(entry.before, entry.after, figures),
        when=day(entry.at, now),
        time=f"{clock(entry.at)} UTC",
        exact=entry.at.isoformat(),
    )


def _did(entry: Entry) -> str:
    """What was done: credits came in by buying, renewing, topping up, and only sometimes by somebody's grant."""
    if entry.action == "grant.made":
        return CREDITS.get(str(entry.after.get("source")), WORDS["grant.made"])
    return WORDS.get(entry.action, entry.action.replace("_", " ").replace(".", " "))


def _named(entry: Entry) -> str:
    """What it was done to: of an override "the limit memberships", never the pair as it is written down."""
    kind, _, name = entry.subject.partition(" ")
    if entry.action.startswith("override.") and kind in OVERRIDDEN:
        return f"{OVERRIDDEN[kind]} {name}"
    return entry.subject


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], figures: Figures) -> list[str]:
    found: list[str] = []
    for name in [*before, *(name for name in after if name not in before)]:
        if name in before and name in after:
            label, old = figures.told(name, before)
            found.append(f"{label}: {old} \N{RIGHTWARDS ARROW} {figures.told(name, after)[1]}")
        elif name in after:
            found.append(": ".join(figures.told(name, after)))
        else:
            found.append(" was ".join(figures.told(name, before)))
    return found


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and MOMENT.match(value):
        return long_day(datetime.fromisoformat(value))
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = text or "empty"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"
