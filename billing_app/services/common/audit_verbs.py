"""Verbs and phrases of the audit log's sentences (audit_words)."""

from __future__ import annotations

from billing_app.services.common.audit import SYSTEM

VERBS = {
    "organization.created": "made the organization",
    "organization.changed": "changed the profile",
    "organization.activated": "activated the organization",
    "organization.deactivated": "deactivated the organization",
    "organization.ending_withdrawn": "decided not to end the organization after all",
    "organization.ended": "ended the organization",
    "sub_organization.created": "made the sub-organization",
    "sub_organization.moved": "moved the sub-organization",
    "sub_organization.activated": "activated the sub-organization",
    "sub_organization.deactivated": "deactivated the sub-organization",
    "member.invited": "invited",
    "member.joined": "joined",
    "member.removed": "removed",
    "member.left": "left",
    "invitation.renewed": "renewed the invitation of",
    "invitation.withdrawn": "took back the invitation of",
    "invitation.ended": "ended the invitation, which nobody accepted, of",
    "api_key.created": "made the API key",
    "api_key.revoked": "revoked the API key",
    "catalogue.saved": "saved the catalogue as",
    "catalogue.corrected": "corrected the catalogue with",
    "gift_card.redeemed": "redeemed the gift card",
    "gift_card.voided": "voided the gift card",
    "user.created": "made the user",
    "password.set": "set a password for",
    "sign_in_link.created": "was given a link to sign in by",
    "process.created": "began the process",
    "process.published": "published the process",
    "process.discarded": "discarded the draft",
    "process.closed": "closed the process",
    "process.cancelled": "cancelled the process",
    "notifications.changed": "changed who is notified of what",
    "notifications.person_added": "lets be told",
    "notifications.person_removed": "no longer notifies",
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
    "recurring_pack.changed": "changed the monthly pack",
    "recurring_pack.ended": "ended the monthly pack",
    "top_up.switched_on": "switched on auto top-up of",
    "top_up.switched_off": "switched off auto top-up of",
    "top_up.changed": "changed auto top-up of",
    "card.saved": "saved the card",
    "card.removed": "was told by Stripe that the card is gone:",
}
"""Actions as a sentence's middle; others are told by their names. Actions with a saying of their own are not here."""

GRANTED = {
    "purchase": "bought",
    "recurring": "renewed a monthly pack of",
    "top_up": "topped up",
    "gift_card": "redeemed a gift card for",
    "conversion": "converted tokens into",
    "import": "imported",
}
"""What making a grant was, by where it came from; what an operator gave was granted."""

NAMES_ITS_PACK = frozenset({"purchase", "recurring", "top_up", "conversion"})
"""Sources whose grants have what was bought as their reason: the sentence says it already."""

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

PHRASES = {
    "until": "valid until {}",
    "reason": "“{}”",
    "role": "as {}",
    "name": "named {}",
    "title": "“{}”",
    "part_of": "part of {}",
    "hint": "{}",
    "scopes": "for {}",
    "each holds": "each of {}",
    "redemptions": "to be redeemed {} times",
    "ends_at": "on {}",
    "email": "at {}",
    "pack": "with the pack {}",
    "count": "{} at a time",
    "threshold": "when credits fall to {}",
    "cap_cents": "for at most {} a month",
}
"""Values as a sentence's end; others stand after their name."""
