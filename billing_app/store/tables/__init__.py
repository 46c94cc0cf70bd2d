"""Every table, imported, so that the metadata is complete for migrations and tests."""

from billing_app.store.tables import access, base, credits, ledger, meters, orgs, outbox, runs, usage

__all__ = ["access", "base", "credits", "ledger", "meters", "orgs", "outbox", "runs", "usage"]
