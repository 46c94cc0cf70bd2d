"""What all pages share: the database, the path under which browsers see them, and how a refusal looks."""

from urllib.parse import urlsplit

from starlette.responses import Response

from fake_stripe.account import Account
from fake_stripe.errors import StripeError, missing
from fake_stripe.pages.html import tag
from fake_stripe.pages.layout import page
from fake_stripe.storage import objects
from fake_stripe.storage.database import Database

# After a form the browser asks again with GET.
SEE_OTHER = 303


class Pages:
    """The pages over one database; `base` is the path under which browsers see them."""

    def __init__(self, database: Database, public_url: str) -> None:
        self.database = database
        self.public_url = public_url
        self.base = urlsplit(public_url).path.rstrip("/")

    def account_of(self, identifier: str, kind: str) -> Account:
        """The account that owns what a page's address names. Raises StripeError (404)."""
        owner = objects.owner(self.database.connection, identifier, kind)
        if owner is None:
            raise missing(kind.rpartition(".")[2], identifier)
        return Account(self.database.connection, owner, self.public_url)

    def refusal(self, error: StripeError) -> Response:
        """An error as a page."""
        title = "Not found" if error.status == 404 else "Not possible"
        panel = tag("section", tag("h1", title), tag("p", error.message), class_="panel")
        return page(self.base, title, panel, status=error.status)
