"""Founding on the product's database."""

from __future__ import annotations

from collections.abc import Mapping

from billing_app import clock
from billing_app.db import Database, Session
from billing_app.domain.common.errors import ForbiddenError, UnauthenticatedError
from billing_app.services.access import sessions
from billing_app.services.common import organizations
from billing_app.services.organizations import create
from billing_app.services.overview import frame
from billing_app.settings import Settings
from billing_app.ui.desks.founding import Founder

PROFILE = ("type", "country", "timezone")
"""What the form asks besides name and address."""


class ServiceFoundingDesks:
    """Makes organizations for whoever is signed in."""

    database: Database
    settings: Settings

    def founder(self, cookies: str) -> Founder:
        """Who is signed in."""
        with self.database.reading() as session:
            identity = self._identity(session, cookies)
            try:
                create.require_may_found(session, identity)
                why_not = ""
            except ForbiddenError as error:
                why_not = error.detail
            home = frame.home(session, identity) or ""
        return Founder(identity.email, why_not, home, self.settings.public_url)

    def propose_address(self, cookies: str, name: str) -> str:
        """A free address made of a name."""
        with self.database.reading() as session:
            create.require_may_found(session, self._identity(session, cookies))
            return create.free_address(session, name)

    def found(self, cookies: str, fields: Mapping[str, str]) -> str:
        """Makes an organization."""
        with self.database.writing() as session:
            identity = self._identity(session, cookies)
            name = fields.get("name", "").strip()
            address = fields.get("address", "").strip() or create.free_address(session, name) or None
            made = create.found(
                session,
                clock.now(),
                name=organizations.valid_name(name),
                address=address,
                profile={key: fields[key] for key in PROFILE if fields.get(key)},
                identity=identity,
                actor=identity.email,
            )
            return made.address

    def _identity(self, session: Session, cookies: str) -> sessions.Identity:
        found = sessions.identify_socket(session, cookies, clock.now(), demo=self.settings.demo)
        if found is None:
            raise UnauthenticatedError("Sign in to go on.")
        return found
