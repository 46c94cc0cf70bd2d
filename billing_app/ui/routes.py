"""Where every page lives, and how to link to it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, unquote, urlencode

API = "/api/v1"
API_DOCS = f"{API}/docs"

HOME = "/"
SIGN_IN = "/sign-in"
SIGN_UP = "/sign-up"
SET_UP = "/set-up"
FORGOT_PASSWORD = "/forgot-password"  # noqa: S105  a route, not a secret
NEW_PASSWORD = "/new-password"  # noqa: S105  a route, not a secret
INVITATION = "/invitation"
NEW_ORGANIZATION = "/new-organization"

ORGANIZATION = "/o/[address]"
OVERVIEW = ORGANIZATION
USAGE = "/o/[address]/usage"
CREDITS = "/o/[address]/credits"
EXPLAIN = "/o/[address]/credits/explain"
BUY = "/o/[address]/credits/buy"
RETURNED = "/o/[address]/credits/bought"
LEDGER = "/o/[address]/ledger"
PLAN = "/o/[address]/plan"
ORGANIZATION_PAGE = "/o/[address]/organization"
ALERTS = "/o/[address]/alerts"
FEATURES = "/o/[address]/features"
PROCESSES = "/o/[address]/processes"
PROCESS = "/o/[address]/processes/new"

ADMIN = "/admin"
"""Where operators begin; their pages are in `operator_routes`."""


def organization(address: str, page: str = "", **query: object) -> str:
    """The URL of a page of one organization; what is empty in `query` is left out."""
    path = f"/o/{quote(address, safe='')}" + (f"/{page}" if page else "")
    return with_query(path, **query)


def address_in(path: str) -> str:
    """The address that a page's path names; empty where it names none.

    From the path alone: Reflex mixes a route's arguments with the query, where anybody can write another `address`.
    """
    parts = path.split("/")
    return unquote(parts[2]) if len(parts) > 2 and parts[1] == "o" else ""


def overview(address: str, **query: object) -> str:
    """The first page. Query: metric."""
    return organization(address, "", **query)


def usage(address: str, **query: object) -> str:
    """Use by month and day. Query: metric, months, month (a day inside the chosen period)."""
    return organization(address, "usage", **query)


def credits(address: str, **query: object) -> str:
    """Balance and grants. Query: metric, months, show."""
    return organization(address, "credits", **query)


def explain(address: str, **query: object) -> str:
    """One balance as the sum of what made it. Query: metric, at."""
    return organization(address, "credits/explain", **query)


def buy(address: str, **query: object) -> str:
    """Packs and the basket. Query: metric, pack (put into the basket), cancelled."""
    return organization(address, "credits/buy", **query)


def ledger(address: str, **query: object) -> str:
    """Every entry. Query: metric, kind, from, to, search, entry, grant, cursor."""
    return organization(address, "ledger", **query)


def plan(address: str, **query: object) -> str:
    """The plan, all plans, invoices. Query: interval (month or year), session_id (coming back from payment)."""
    return organization(address, "plan", **query)


def alerts(address: str, **query: object) -> str:
    """Who is told of what. Query: state, delivery."""
    return organization(address, "alerts", **query)


def organization_page(address: str, **query: object) -> str:
    """Profile, members, parts, keys, audit log. Query: tab, cursor."""
    return organization(address, "organization", **query)


def features(address: str, **query: object) -> str:
    """What the plan includes, switched on or off."""
    return organization(address, "features", **query)


def processes(address: str, **query: object) -> str:
    """The list. Query: state, cursor."""
    return organization(address, "processes", **query)


def process(address: str, **query: object) -> str:
    """The wizard. Query: process (a draft, or one to look at), step."""
    return organization(address, "processes/new", **query)


def sign_in(next_path: str = "") -> str:
    """The sign-in page, coming back to `next_path`."""
    return with_query(SIGN_IN, next=next_path)


def api(address: str, resource: str, **query: object) -> str:
    """A resource of the HTTP API, for plain links such as CSV downloads."""
    return with_query(f"{API}/organizations/{quote(address, safe='')}/{resource}", **query)


def with_query(path: str, **query: object) -> str:
    """`path` with those of `query` that are not empty; a trailing underscore of a name is dropped (`from_`)."""
    given = {name.rstrip("_"): str(value) for name, value in query.items() if value not in (None, "", False)}
    return f"{path}?{urlencode(given)}" if given else path


def written(query: Mapping[str, str]) -> dict[str, str]:
    """A query without control characters, which nobody can type and PostgreSQL cannot compare with."""
    return {name: "".join(filter(str.isprintable, value)) for name, value in query.items()}
