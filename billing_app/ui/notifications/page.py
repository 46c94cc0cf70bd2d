"""/o/{address}/alerts: who is told of what, where webhooks go, and what was sent."""

from __future__ import annotations

from functools import partial
from typing import Any

import reflex as rx

from billing_app.domain.common.access import ADMIN_ROLES
from billing_app.domain.common.errors import ConflictError, InvalidError
from billing_app.services.notifications import choices, delivery_log, read, webhook_endpoints
from billing_app.services.notifications.views import AlertsView
from billing_app.ui import routes
from billing_app.ui.access.session import PageAccess, guarded, id_in
from billing_app.ui.access.transactions import PageContext
from billing_app.ui.frame.organization import page
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.kit.basics import head
from billing_app.ui.kit.listing import answer
from billing_app.ui.kit.skeletons import list_skeleton
from billing_app.ui.notifications.parts import add_webhook, delivery_list, matrix, opened_delivery, recipients
from billing_app.ui.notifications.text import AlertsScreen, alerts_screen

SECRET = "new-secret"  # noqa: S105  the id of a field
"""Where a new secret is shown: it is sent to the browser once and kept in no state."""


class AlertsState(OrganizationPage):
    """What the page shows. Filter and opened delivery live in the URL."""

    screen: AlertsScreen = AlertsScreen()
    fresh: bool = False
    """A secret was made just now, and is being shown."""
    adding: bool = False
    refused: str = ""
    """Why the form's endpoint was not added."""

    @guarded(ADMIN_ROLES)
    async def load(self, access: PageAccess) -> None:
        """Reads the page."""
        await self._read(access)

    @guarded(ADMIN_ROLES)
    async def choose(self, access: PageAccess, audience: str, kind: str, notify: bool) -> None:
        """Somebody is told of something, or no longer."""
        await access.write(lambda at: choices.choose(at, audience, kind, notify))
        await self._read(access)

    @guarded(ADMIN_ROLES)
    async def choose_person(self, access: PageAccess, email: str, notify: bool) -> None:
        """A single member gets a column, or loses it."""
        change = choices.add_person if notify else choices.remove_person
        await access.write(lambda at: change(at, email))
        await self._read(access)

    @guarded(ADMIN_ROLES)
    async def open_adding(self, access: PageAccess, opened: bool) -> None:
        """Opens or closes the form of a new endpoint."""
        self.adding, self.refused = opened, ""

    @guarded(ADMIN_ROLES)
    async def add(self, access: PageAccess, form: dict) -> Any:
        """A new endpoint, and its secret once."""
        self.refused = ""
        try:
            secret = await access.write(
                lambda at: (
                    webhook_endpoints.create(
                        at,
                        form.get("url", ""),
                        description=form.get("description", ""),
                        private=webhook_endpoints.reachable(at.settings),
                    ).secret
                )
            )
        except (ConflictError, InvalidError) as error:
            self.refused = error.detail  # said in the form, where it can be mended
            return None
        return await self._show_secret(access, secret)

    @guarded(ADMIN_ROLES)
    async def rotate(self, access: PageAccess, webhook: str) -> Any:
        """A new secret, once."""
        secret = await access.write(lambda at: webhook_endpoints.rotate(at, id_in(webhook)).secret)
        return await self._show_secret(access, secret)

    @guarded(ADMIN_ROLES)
    async def hide_secret(self, access: PageAccess) -> Any:
        """The secret is gone from the page."""
        self.fresh = False
        return rx.set_value(SECRET, "")

    @guarded(ADMIN_ROLES)
    async def enable(self, access: PageAccess, webhook: str) -> None:
        """Sends to an endpoint again."""
        await access.write(lambda at: webhook_endpoints.enable(at, id_in(webhook)))
        await self._read(access)

    @guarded(ADMIN_ROLES)
    async def delete(self, access: PageAccess, webhook: str) -> None:
        """Sends to an endpoint no more."""
        await access.write(lambda at: webhook_endpoints.delete(at, id_in(webhook)))
        await self._read(access)

    @guarded(ADMIN_ROLES)
    async def test(self, access: PageAccess, webhook: str) -> Any:
        """Sends a test, and shows how it goes."""
        delivery = await access.write(lambda at: delivery_log.test(at, id_in(webhook)))
        return rx.redirect(routes.alerts(access.address, delivery=str(delivery)))

    @guarded(ADMIN_ROLES)
    async def resend(self, access: PageAccess, delivery: str) -> None:
        """Sends a delivery once more."""
        await access.write(lambda at: delivery_log.resend(at, id_in(delivery)))
        await self._read(access)

    async def _read(self, access: PageAccess) -> None:
        state, opened = access.text("state"), access.text("delivery")

        def alerts(at: PageContext) -> AlertsView:
            mail = at.settings.mailing
            return read.alerts(at, mail=mail, state=state, opened=opened)

        self.screen = await access.show(self, alerts, partial(alerts_screen, state=state))

    async def _show_secret(self, access: PageAccess, secret: str) -> Any:
        await self._read(access)
        self.adding, self.fresh = False, True
        return rx.set_value(SECRET, secret)


screen = AlertsState.screen


def alerts_page() -> rx.Component:
    """The page."""
    content = rx.fragment(
        head("Alerts", tools=[add_webhook(AlertsState)]),
        answer(screen.answer.sentence, screen.answer.rest, tone=screen.answer.tone),
        recipients(AlertsState, SECRET),
        rx.el.div(
            delivery_list(screen),
            rx.cond(screen.opened.visible, opened_delivery(AlertsState)),
            class_name="ledger-layout",
        ),
        matrix(AlertsState),
    )
    return page(content, active="alerts", ready=screen.ready, skeleton=list_skeleton("Alerts"))
