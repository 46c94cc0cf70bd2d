"""Features and processes on the product's database."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from billing_app.db import Session
from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import InvalidError
from billing_app.domain.processes.processes import Content, ProcessState
from billing_app.domain.processes.voting import OptionKind
from billing_app.services.access import sessions
from billing_app.services.common.organizations import Organization
from billing_app.services.limits import features
from billing_app.services.processes import processes, read
from billing_app.services.processes.views import OptionsView, ProcessesView, ProcessView

if TYPE_CHECKING:
    from billing_app.ui.desk import Visitor

MAY_CHANGE = (Role.ADMIN, Role.OPERATOR)


class Entered(Protocol):
    """A transaction that may write, of somebody who was let in."""

    session: Session
    organization: Organization
    now: datetime
    actor: str


class ServiceProcessesDesk:
    """What the pages read."""

    session: Session
    organization: Organization
    access: sessions.Access
    now: datetime

    def options(self) -> OptionsView:
        """Every feature and way of voting."""
        return read.options_view(self.session, self.organization, self.now, may_change=self._may_change)

    def processes(self, state: str, cursor: str) -> ProcessesView:
        """A page of the list."""
        return read.listed(
            self.session, self.organization, self.now, state=state, cursor=cursor, may_change=self._may_change
        )

    def process(self, process_id: UUID | None, content: Content | None) -> ProcessView:
        """One process, or what is being filled in."""
        return read.process(
            self.session,
            self.organization,
            self.now,
            process_id=process_id,
            content=content,
            may_change=self._may_change,
        )

    @property
    def _may_change(self) -> bool:
        return self.access.role in MAY_CHANGE


class ServiceProcessesDesks:
    """What the pages change, each in one transaction of a visitor who was let in anew."""

    def _enter(self, visitor: Visitor, roles: frozenset[Role]) -> AbstractContextManager[Entered]:
        raise NotImplementedError

    def switch_option(self, visitor: Visitor, roles: frozenset[Role], kind: str, name: str, on: bool) -> None:
        """Switches a feature or way of voting on or off."""
        if kind not in set(OptionKind):
            raise InvalidError("There is nothing of this kind to switch.", code="unknown_feature")
        with self._enter(visitor, roles) as at:
            features.switch(at.session, at.organization, {(OptionKind(kind), name): on}, at.now, actor=at.actor)

    def save_process(
        self, visitor: Visitor, roles: frozenset[Role], process_id: UUID | None, content: Content, revision: int
    ) -> tuple[UUID, int]:
        """Saves a draft, a new one without an id; gives its id and revision."""
        with self._enter(visitor, roles) as at:
            if process_id is None:
                row = processes.create(at.session, at.organization, content, at.now, actor=at.actor).row
            else:
                row = processes.save(at.session, at.organization, process_id, content, at.now, revision=revision).row
            return row.id, row.revision

    def discard_process(self, visitor: Visitor, roles: frozenset[Role], process_id: UUID) -> None:
        """Deletes a draft."""
        with self._enter(visitor, roles) as at:
            processes.discard(at.session, at.organization, process_id, at.now, actor=at.actor)

    def publish_process(
        self, visitor: Visitor, roles: frozenset[Role], process_id: UUID | None, content: Content, revision: int
    ) -> UUID:
        """Publishes what is filled in, whether or not it was ever a draft; gives its id."""
        with self._enter(visitor, roles) as at:
            if process_id is None:
                return processes.publish_new(at.session, at.organization, content, at.now, actor=at.actor).row.id
            processes.save(at.session, at.organization, process_id, content, at.now, revision=revision)
            return processes.publish(at.session, at.organization, process_id, at.now, actor=at.actor).row.id

    def end_process(
        self, visitor: Visitor, roles: frozenset[Role], process_id: UUID, outcome: str, sent: Mapping[str, int]
    ) -> None:
        """Closes or cancels a published process."""
        if outcome not in (ProcessState.CLOSED, ProcessState.CANCELLED):
            raise InvalidError("A process is closed or cancelled.", code="invalid_process")
        with self._enter(visitor, roles) as at:
            processes.end(
                at.session, at.organization, process_id, ProcessState(outcome), at.now, actor=at.actor, sent=sent
            )
