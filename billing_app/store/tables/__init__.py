"""Every table, imported, so that the metadata is complete for migrations and tests."""

from billing_app.store.tables import (
    access,
    base,
    catalogue,
    credits,
    meters,
    notifications,
    organizations,
    processes,
    purchases,
    reversals,
    runs,
    stripe,
    subscriptions,
    usage,
)

__all__ = [
    "access",
    "audit",
    "base",
    "catalogue",
    "credits",
    "meters",
    "notifications",
    "organizations",
    "processes",
    "purchases",
    "reversals",
    "runs",
    "stripe",
    "subscriptions",
    "top_ups",
    "usage",
]
