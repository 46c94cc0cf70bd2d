"""Where operators' pages live, and how to link to them."""

from __future__ import annotations

from urllib.parse import quote, unquote

from billing_app.ui.routes import ADMIN, with_query

ORGANIZATIONS = f"{ADMIN}/organizations"
ORGANIZATION = f"{ADMIN}/organizations/[address]"
CATALOGUE = f"{ADMIN}/catalogue"
GIFT_CARDS = f"{ADMIN}/gift-cards"
AUDIT = f"{ADMIN}/audit"
STRIPE_EVENTS = f"{ADMIN}/stripe-events"
RECONCILIATION = f"{ADMIN}/reconciliation"
RECOUNTS = f"{ADMIN}/recounts"


def organizations(**query: object) -> str:
    """All organizations. Query: search, cursor."""
    return with_query(ORGANIZATIONS, **query)


def organization(address: str, **query: object) -> str:
    """One organization's everything. Query: grant (whose refund is being made)."""
    return with_query(f"{ORGANIZATIONS}/{quote(address, safe='')}", **query)


def address_in(path: str) -> str:
    """The address that the path of one organization's page names; empty where it names none."""
    parts = path.split("/")
    return unquote(parts[3]) if len(parts) > 3 and parts[1:3] == ["admin", "organizations"] else ""


def stripe_events(**query: object) -> str:
    """What Stripe has sent. Query: state, type, organization, event (the opened one), cursor."""
    return with_query(STRIPE_EVENTS, **query)


def reconciliation(**query: object) -> str:
    """The comparison with Stripe. Query: run (an earlier one)."""
    return with_query(RECONCILIATION, **query)


def recounts(**query: object) -> str:
    """Runs of the recount. Query: cursor."""
    return with_query(RECOUNTS, **query)


def gift_cards(**query: object) -> str:
    """All gift cards. Query: card (the opened one), cursor."""
    return with_query(GIFT_CARDS, **query)


def audit(**query: object) -> str:
    """Who changed what. Query: organization, action, who, cursor."""
    return with_query(AUDIT, **query)
