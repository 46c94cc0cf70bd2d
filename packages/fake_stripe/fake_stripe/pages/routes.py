"""Every page's address."""

from starlette.routing import Route

from fake_stripe.pages.checkout import CheckoutPages
from fake_stripe.pages.dashboard import DashboardPages
from fake_stripe.pages.invoices import InvoicePages
from fake_stripe.pages.portal import PortalPages
from fake_stripe.storage.database import Database


def page_routes(database: Database, public_url: str) -> list[Route]:
    """Every page."""
    kinds = (CheckoutPages, PortalPages, InvoicePages, DashboardPages)
    return [route for kind in kinds for route in kind(database, public_url).routes()]
