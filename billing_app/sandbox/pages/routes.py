"""Every page's address."""

from starlette.routing import Route

from billing_app.sandbox.pages.checkout import CheckoutPages
from billing_app.sandbox.pages.dashboard import DashboardPages
from billing_app.sandbox.pages.invoices import InvoicePages
from billing_app.sandbox.pages.portal import PortalPages
from billing_app.sandbox.storage.database import Database


def page_routes(database: Database, public_url: str) -> list[Route]:
    """Every page."""
    kinds = (CheckoutPages, PortalPages, InvoicePages, DashboardPages)
    return [route for kind in kinds for route in kind(database, public_url).routes()]
