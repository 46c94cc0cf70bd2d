"""Operators' desks on the product's database."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

from billing_app import clock
from billing_app.db import Database, Session
from billing_app.services.access import sessions
from billing_app.services.operators import organizations as operators
from billing_app.services.operators.views import OrganizationsView
from billing_app.services.overview import frame
from billing_app.services.overview.views_frame import OperatorShellView
from billing_app.settings import Settings
from billing_app.ui.service_desks.operating import ServiceOperatingDesk, ServiceOperatingDesks
from billing_app.ui.service_desks.operations import ServiceOperationsDesk, ServiceOperationsDesks


class ServiceOperatorDesk(ServiceOperatingDesk, ServiceOperationsDesk):
    """What one operator reads or writes, in one transaction."""

    def __init__(self, session: Session, identity: sessions.Identity, settings: Settings, now: datetime) -> None:
        """`identity` was found to be an operator's in the same transaction."""
        self.session = session
        self.identity = identity
        self.settings = settings
        self.now = now

    def shell(self) -> OperatorShellView:
        """What is around the page."""
        return frame.operator_shell(self.session, self.identity, self.settings)

    def organizations(self, search: str, cursor: str) -> OrganizationsView:
        """Organizations whose name or address has `search` in it, by name."""
        return operators.organizations(self.session, search, cursor, self.now)


class ServiceOperatorDesks(ServiceOperatingDesks, ServiceOperationsDesks):
    """Opens desks for operators."""

    database: Database
    settings: Settings

    @contextmanager
    def open_operator(self, cookies: str, *, writing: bool = False) -> Generator[ServiceOperatorDesk]:
        """A desk for an operator; raises as `sessions.authorize_operator` does."""
        now = clock.now()
        with self.database.writing() if writing else self.database.reading() as session:
            identity = sessions.authorize_operator(
                sessions.identify_socket(session, cookies, now, demo=self.settings.demo)
            )
            yield ServiceOperatorDesk(session, identity, self.settings, now)
        if identity.renewal_due:
            with self.database.writing() as session:
                sessions.renew(session, identity, now)
