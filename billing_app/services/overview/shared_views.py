"""What is read once for all open pages of an organization that show it (decision 18).

A change is pushed to every tab of an organization, and most of them show the same. So a view is kept, for who may see
the same of the same organization, until anything that its pages show has changed, and never for long. Access is not
kept: whoever gets a view out of here was let in by a transaction of their own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlmodel import Session

from billing_app import monitoring
from billing_app.domain.common.access import Role
from billing_app.services.common import kept, payers
from billing_app.store.tables.organizations import Organization

View = TypeVar("View")

KEPT = 64
"""Views that a process keeps: those that the open pages of some organizations show right now."""

KEPT_FOR = timedelta(seconds=5)
"""How far a view's own moment may lie back. What changes by time alone (a period's turn, an end of credits) is on
screen no later than this after a page is opened; a page that stays open shows it with the next change anyway."""

WAIT_SECONDS = 30.0
"""How long one reader waits for what another reads, before it reads for itself."""


@dataclass(slots=True, eq=False)
class _Kept:
    at: datetime
    done: threading.Event = field(default_factory=threading.Event)
    view: Any = None
    failed: bool = True


class SharedViews:
    """Views by everything that they depend on. Those who ask for the same at once read it once."""

    def __init__(self) -> None:
        """Keeps nothing yet."""
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    def of(
        self,
        session: Session,
        organization: Organization,
        role: Role,
        asked: Hashable,
        now: datetime,
        read: Callable[[], View],
    ) -> View:
        """What is `asked` of an organization by somebody with this role, as of the revision that it has now.

        The organization's revision names what was changed last, its payer's what was changed there; neither tells who
        looks, so the role does.
        """
        owner, payer = organization.pk, payers.payer(session, organization, now)
        revisions = kept.revisions(session, (organization, payer))
        return self.read((owner, tuple(sorted(revisions.items())), role, asked), now, read)

    def read(self, key: Hashable, now: datetime, read: Callable[[], View]) -> View:
        """The view that is kept under `key`, or what `read` gives, which is kept. Views are frozen: nobody changes one.

        `key` names organization, revision, rights and what is asked: whatever differs in one of them is not shared.
        """
        with self._lock:
            found = self._kept.get(key)
            mine = found is None or not found.at <= now <= found.at + KEPT_FOR
            if mine:
                found = self._kept[key] = _Kept(now)
                self._kept.move_to_end(key)
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        assert found is not None
        if mine:
            return self._fill(key, found, read)
        if not found.done.wait(WAIT_SECONDS) or found.failed:
            return _read(read)
        monitoring.page_views.labels("shared").inc()
        return found.view

    def _fill(self, key: Hashable, own: _Kept, read: Callable[[], View]) -> View:
        try:
            own.view = _read(read)
            own.failed = False
            return own.view
        finally:
            if own.failed:
                with self._lock:
                    if self._kept.get(key) is own:
                        del self._kept[key]
            own.done.set()


def _read(read: Callable[[], View]) -> View:
    monitoring.page_views.labels("read").inc()
    return read()
