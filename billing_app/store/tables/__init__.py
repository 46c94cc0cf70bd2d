"""Every table, imported, so that the metadata is complete for migrations and tests."""

from billing_app.store.tables import (
    access,
    base,
    credits,
    inbox,
    ledger,
    meters,
    orgs,
    outbox,
    purchases,
    runs,
    usage,
)

__all__ = [
    "access",
    "base",
    "credits",
    "inbox",
    "ledger",
    "meters",
    "orgs",
    "outbox",
    "purchases",
    "runs",
    "usage",
]
