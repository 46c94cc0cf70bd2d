"""What every route needs from the process that serves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import HTTPConnection

from billing_app.db import Database
from billing_app.services.common.origins import origin_of, own_origins
from billing_app.settings import Settings

PREFIX = "/api/v1"
"""Where the API lives on the one port that pages and API share."""


@dataclass(frozen=True, slots=True)
class Application:
    """The database, the settings and the clock of this process."""

    database: Database
    settings: Settings
    clock: Callable[[], datetime]

    @property
    def origin(self) -> str:
        """Where browsers find us."""
        return origin_of(self.settings.public_url)

    @property
    def origins(self) -> tuple[str, ...]:
        """The only origins from which browsers may change anything."""
        return own_origins(self.settings.public_url)

    @property
    def lifetime(self) -> timedelta:
        """How long a sign-in lasts."""
        return timedelta(days=self.settings.session_days)


LANE = "billing.context"
"""Where a request's scope has the context of its lane (api.common.lanes): the same one, with connections of that lane's
own."""


def application_of(connection: HTTPConnection) -> Application:
    """The context of the app that a request reached, with the connections that it may use."""
    return connection.scope.get(LANE) or connection.app.state.application
