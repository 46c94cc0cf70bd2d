"""Where pages' work runs: off the event loop, in threads of their own, organizations by turns (decision 18).

Reading a page and doing something on it are apart: what is done may wait for Stripe. Neither has a thread that requests
of the API or scheduled jobs would miss. A neighbour is an organization by its address; operators are one, and so are
all who are not signed in, wherever they claim to be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from billing_app.turns import Limits, Pool

Given = TypeVar("Given")

OPERATORS = "operators"

NOBODY = "nobody"

LOADS = Limits(at_once=4, each=2, waiting=512, waiting_each=128, seconds=8.0)
"""Reading pages is computing: more at once would only take Python from each other, and from whoever asks `check`. A
tab's state is locked for 10 s at most where Redis keeps it, so nobody waits as long."""

DEEDS = Limits(at_once=12, each=3, waiting=256, waiting_each=32, seconds=8.0)
"""Most of these wait for a lock or for Stripe."""

CONNECTIONS = 12
"""Of the database, for all that pages read and do: what waits for Stripe holds none."""

_loads = Pool("page-loads", LOADS)
_deeds = Pool("page-deeds", DEEDS)


def neighbour(cookies: str, address: str = "") -> str:
    """Whose turn an event takes: the organization's of its page, or that of the person who is on none.

    Who has no cookie is nobody, whichever address the page has: those share one neighbour's turns.
    """
    return (address or cookies) if cookies else NOBODY


async def load(neighbour: str, work: Callable[..., Given], *arguments: object) -> Given:
    """Reads for a page of `neighbour`. Raises BusyError or TooManyAtOnceError where it cannot be begun in time."""
    return await _loads.run(neighbour, work, *arguments)


async def deed(neighbour: str, work: Callable[..., Given], *arguments: object) -> Given:
    """Does something for a page of `neighbour`; raises as `load` does."""
    return await _deeds.run(neighbour, work, *arguments)
