"""The page of one invoice."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fake_stripe.errors import StripeError
from fake_stripe.pages import portal_view
from fake_stripe.pages.base import Pages
from fake_stripe.pages.layout import page


class InvoicePages(Pages):
    """Where `hosted_invoice_url` leads."""

    def routes(self) -> list[Route]:
        """One address."""
        return [Route("/invoices/{invoice}", self.show)]

    async def show(self, http: Request) -> Response:
        """The invoice with its lines."""
        try:
            account = self.account_of(http.path_params["invoice"], "invoice")
            invoice = account.get(http.path_params["invoice"], "invoice")
        except StripeError as error:
            return self.refusal(error)
        return page(self.base, "Invoice", portal_view.invoice_page(account, invoice))
