"""Leaving our pages for another site, such as a hosted payment page.

Reflex's redirect stays inside the pages' own router when the address has our host, as the fake Stripe's pages do.
Leaving must be a real navigation.
"""

from __future__ import annotations

import reflex as rx
from reflex_base.utils.imports import ImportDict

LEFT = "left-for"
"""Where a tab notes the URL that it has left for."""


class ExternalRedirect(rx.Fragment):
    """Goes to `url` as soon as there is one."""

    url: rx.Var[str]

    def add_imports(self) -> ImportDict:
        """React's effects."""
        return {"react": "useEffect"}

    def add_hooks(self) -> list[str | rx.Var]:
        """Runs when the URL changes, never for the empty one, and once for each.

        Who comes back by that site's own link finds the state as it was left, URL included, before the page's handler
        has forgotten it: without the note in this tab they would be sent away again.
        """
        url = str(self.url)
        return [
            f"useEffect(() => {{ if (!{url} || sessionStorage.getItem('{LEFT}') === {url}) return; "
            f"sessionStorage.setItem('{LEFT}', {url}); window.location.assign({url}); }}, [{url}]);"
        ]

    def _exclude_props(self) -> list[str]:
        return ["url"]


external_redirect = ExternalRedirect.create
