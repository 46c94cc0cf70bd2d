"""A tab whose owner sends events by hand, as anybody can who opens the developer tools.

They go over the page's own websocket, so they carry the person's real cookie, origin and session; the handler's name,
its arguments and the address that it is told to come from are up to the sender.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page, WebSocket

from billing_app.ui.credits.explain import ExplainState
from billing_app.ui.credits.ledger import LedgerState
from billing_app.ui.credits.page import CreditsState
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.overview.page import OverviewState
from billing_app.ui.purchases.checkout_return import CheckoutReturnState
from billing_app.ui.purchases.page import BuyState
from billing_app.ui.usage.page import UsageState
from tests.browser.people import Person, goes

KEEP_SOCKETS = """
    const Socket = window.WebSocket;
    window.WebSocket = class extends Socket {
        constructor(...given) { super(...given); window.socket = this; }
    };
"""

PAGES: dict[str, tuple[type[OrganizationPage], str]] = {
    "overview": (OverviewState, ""),
    "usage": (UsageState, "/usage"),
    "credits": (CreditsState, "/credits"),
    "explain": (ExplainState, "/credits/explain"),
    "buy": (BuyState, "/credits/buy"),
    "returned": (CheckoutReturnState, "/credits/bought"),
    "ledger": (LedgerState, "/ledger"),
}
"""The states whose handlers are called, and where their pages are in an organization."""


@dataclass
class Forger:
    """A tab that has been opened honestly, and what its websocket has heard since."""

    page: Page
    heard: list[str] = field(default_factory=list)
    sockets: list[WebSocket] = field(default_factory=list)

    @classmethod
    def at(cls, person: Person, path: str) -> Forger:
        """Somebody who opens a page of theirs."""
        forger = cls(person.context.new_page())
        forger.page.add_init_script(KEEP_SOCKETS)
        forger.page.on("websocket", forger._listen)
        goes(forger.page, path)
        forger.heard.clear()
        return forger

    def sends(self, handler: str, address: str, until: str, **arguments: Any) -> str:
        """Calls a handler such as "buy.change" as if from a page of `address`; gives the answer that has `until`."""
        page, _, name = handler.partition(".")
        state, place = PAGES[page]
        path = f"/o/{address}{place}"
        event = {
            "name": f"{state.get_full_name()}.{name}",
            "payload": arguments,
            "router_data": {"pathname": path, "asPath": path, "query": {"address": address, **arguments}},
        }
        message = f"42/_event,{json.dumps(['event', event])}"
        with self.sockets[-1].expect_event("framereceived", lambda frame: until in str(frame)) as answer:
            self.page.evaluate("message => window.socket.send(message)", message)
        return str(answer.value)

    def _listen(self, socket: WebSocket) -> None:
        self.sockets.append(socket)
        socket.on("framereceived", lambda frame: self.heard.append(str(frame)))
