"""Every table, imported, so that the metadata is complete for migrations and tests."""

from billing_app.store.tables import (
    access,
    audit,
    base,
    credits,
    gift_cards,
    inbox,
    ledger,
    meters,
    notifications,
    orgs,
    outbox,
    overrides,
    purchases,
    runs,
    tree,
    usage,
)

__all__ = [
    "access",
    "audit",
    "base",
    "credits",
    "gift_cards",
    "inbox",
    "ledger",
    "meters",
    "notifications",
    "orgs",
    "outbox",
    "overrides",
    "purchases",
    "runs",
    "tree",
    "usage",
]
