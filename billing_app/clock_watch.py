"""Whether the clock of this process is the database's (docs/decisions/0021).

What a server with a wrong clock writes holds for everybody: meters that are right in two months, credits that have
ended already. So it does not write. SQLite's clock is the machine's, as its only process' is: nothing to compare.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from billing_app.domain.common.errors import UnavailableError
from billing_app.domain.common.moments import MAX_DIFFERENCE

LOOK_AGAIN_S = 30.0
"""How long a comparison stands while requests write; jobs and /readyz compare anew."""


class ClockWatch:
    """Compares `clock` with the database's, and remembers how that went."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Has not looked yet."""
        self._clock = clock
        self._looked_at = float("-inf")
        self._was = datetime.min.replace(tzinfo=UTC)
        self._found = ""

    def look(self, connection: Connection) -> str:
        """Compares now; what is wrong as a sentence, or nothing."""
        self._looked_at, self._was = time.monotonic(), self._clock()
        if connection.dialect.name != "postgresql":
            return ""
        before = self._clock()
        theirs: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
        waited = self._clock() - before
        ahead = before + waited / 2 - theirs.astimezone(UTC)
        self._found = _sentence(ahead) if abs(ahead) > MAX_DIFFERENCE + abs(waited) / 2 else ""
        return self._found

    def require(self, connection: Connection) -> None:
        """Before something is written. Raises UnavailableError `clock_differs`.

        A clock that was set since it was compared has gone further than the time that has passed, or not as far.
        """
        passed = time.monotonic() - self._looked_at
        if passed > LOOK_AGAIN_S or abs(self._clock() - self._was - timedelta(seconds=passed)) > MAX_DIFFERENCE:
            self.look(connection)
        if self._found:
            raise UnavailableError(self._found, code="clock_differs", retry_after=int(LOOK_AGAIN_S))


def _sentence(ahead: timedelta) -> str:
    difference = timedelta(seconds=round(abs(ahead).total_seconds()))
    return (
        f"The clock of this server is {difference} {'ahead of' if ahead > timedelta(0) else 'behind'} the database's. "
        "Nothing is written until they agree: set the one that is wrong, and let both follow a time server."
    )
