"""Every table, imported, so that the metadata is complete for migrations and tests."""

from billing_app.store.tables import access, base, orgs

__all__ = ["access", "base", "orgs"]
