"""/o/{address}/alerts: who is told of what, where webhooks go, and what was sent."""

from __future__ import annotations

from functools import partial
from typing import Any

import reflex as rx

from billing_app.domain.common.access import ADMIN_ROLES
from billing_app.domain.common.errors import ConflictError, InvalidError
from billing_app.ui import routes
from billing_app.ui.access.session import Frame, Visit, guarded
from billing_app.ui.desk import desks
from billing_app.ui.frame.layout import page
from billing_app.ui.kit.basics import head
from billing_app.ui.kit.listing import answer
from billing_app.ui.kit.skeletons import list_skeleton
from billing_app.ui.notifications.audiences import told
from billing_app.ui.notifications.deliveries import delivery_list, opened_delivery
from billing_app.ui.notifications.parts import add_webhook, matrix
from billing_app.ui.notifications.text import AlertsShown, alerts_shown

SECRET = "new-secret"  # noqa: S105  the id of a field
"""Where a new secret is shown: it is sent to the browser once and kept in no state."""


class AlertsState(Frame):
    """What the page shows. Filter and opened delivery live in the URL."""

    screen: AlertsShown = AlertsShown()
    fresh: bool = False
    """A secret was made just now, and is being shown."""
    adding: bool = False
    refused: str = ""
    """Why the form's endpoint was not added."""

    @rx.event
    @guarded(roles=ADMIN_ROLES)
    async def load(self, visit: Visit) -> None:
        """Reads the page."""
        await self._read(visit)

    @rx.event
    @guarded(roles=ADMIN_ROLES)
    async def choose(self, visit: Visit, audience: str, kind: str, told: bool) -> None:
        """Somebody is told of something, or no longer."""
        await visit.call(desks().choose_alert, audience, kind, told)
        await self._read(visit)

    @rx.event
    @guarded(roles=ADMIN_ROLES)
    async def choose_person(self, visit: Visit, email: str, told: bool) -> None:
        """A single member gets a column, or loses it."""
        await visit.call(desks().choose_person, email, told)
        await self._read(visit)

    @rx.event
    @guarded(roles=ADMIN_ROLES)
    async def open_adding(self, visit: Visit, opened: bool) -> None:
        """Opens or closes the form of a new endpoint."""
        self.adding, self.refused = opened, ""

    @rx.event
    @guarded(roles=ADMIN_ROLES)
    async def add(self, visit: Visit, form: dict) -> Any:
        """A new endpoint, and its secret once."""
        self.refused = ""
        try:
            secret = await visit.call(desks().add_webhook, form.get("url", ""), form.get("description", ""))
        except (ConflictError, InvalidError) as error:
            self.refused = error.detail  # said in the form, where it can be mended
            return None
        return await self._show_secret(visit, secret)

    @rx.event
    @guarded(roles=ADMIN_ROLES)
    async def rotate(self, visit: Visit, webhook: str) -> Any:
        """A new secret, once."""
        return await self._show_secret(visit, await visit.call(desks().rotate_webhook, webhook))

    @rx.event
    @guarded(roles=ADMIN_ROLES)
    async def hide_secret(self, visit: Visit) -> Any:
        """The secret is gone from the page."""
        self.fresh = False
        return rx.set_value(SECRET, "")

    @rx.event
    @guarded(roles=ADMIN_ROLES)
    async def enable(self, visit: Visit, webhook: str) -> None:
        """Sends to an endpoint again."""
        await visit.call(desks().enable_webhook, webhook)
        await self._read(visit)

    @rx.event
    @guarded(roles=ADMIN_ROLES)
    async def delete(self, visit: Visit, webhook: str) -> None:
        """Sends to an endpoint no more."""
        await visit.call(desks().delete_webhook, webhook)
        await self._read(visit)

    @rx.event
    @guarded(roles=ADMIN_ROLES)
    async def test(self, visit: Visit, webhook: str) -> Any:
        """Sends a test, and shows how it goes."""
        delivery = await visit.call(desks().test_webhook, webhook)
        return rx.redirect(routes.alerts(visit.visitor.address, delivery=delivery))

    @rx.event
    @guarded(roles=ADMIN_ROLES)
    async def resend(self, visit: Visit, delivery: str) -> None:
        """Sends a delivery once more."""
        await visit.call(desks().resend, delivery)
        await self._read(visit)

    async def _read(self, visit: Visit) -> None:
        state, opened = visit.text("state"), visit.text("delivery")
        present = partial(alerts_shown, state=state)
        self.screen = await visit.show(self, lambda desk: desk.alerts(state, opened), present)

    async def _show_secret(self, visit: Visit, secret: str) -> Any:
        await self._read(visit)
        self.adding, self.fresh = False, True
        return rx.set_value(SECRET, secret)


screen = AlertsState.screen


def alerts_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head("Alerts", tools=[add_webhook(AlertsState)]),
        answer(screen.answer.sentence, screen.answer.rest, tone=screen.answer.tone),
        told(AlertsState, SECRET),
        rx.el.div(
            delivery_list(screen),
            rx.cond(screen.opened.shown, opened_delivery(AlertsState)),
            class_name="ledger-layout",
        ),
        matrix(AlertsState),
    )
    return page(content, active="alerts", ready=screen.ready, skeleton=list_skeleton("Alerts"))


def add(app: rx.App) -> None:
    """Puts the page into the app."""
    app.add_page(alerts_page, route=routes.ALERTS, title="Alerts", on_load=AlertsState.load)
