"""What the pages of features and processes read and change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from billing_app.domain.common.access import Role
from billing_app.domain.processes.processes import Content
from billing_app.services.processes.views import OptionsView, ProcessesView, ProcessView

if TYPE_CHECKING:
    from billing_app.ui.desk import Visitor


class ProcessesDesk(Protocol):
    """What the pages read."""

    def options(self) -> OptionsView:
        """Every feature and way of voting."""

    def processes(self, state: str, cursor: str) -> ProcessesView:
        """A page of the list; those of one state, if told."""

    def process(self, process_id: UUID | None, content: Content | None) -> ProcessView:
        """One process, or what is being filled in; without an id a new one."""


class ProcessesDesks(Protocol):
    """What the pages change. Each raises what its service raises."""

    def switch_option(self, visitor: Visitor, roles: frozenset[Role], kind: str, name: str, on: bool) -> None:
        """Switches a feature or way of voting on or off."""

    def save_process(
        self, visitor: Visitor, roles: frozenset[Role], process_id: UUID | None, content: Content, revision: int
    ) -> tuple[UUID, int]:
        """Saves a draft, a new one without an id; gives its id and revision."""

    def discard_process(self, visitor: Visitor, roles: frozenset[Role], process_id: UUID) -> None:
        """Deletes a draft."""

    def publish_process(
        self, visitor: Visitor, roles: frozenset[Role], process_id: UUID | None, content: Content, revision: int
    ) -> UUID:
        """Publishes what is filled in, whether or not it was ever a draft; gives its id."""

    def end_process(
        self, visitor: Visitor, roles: frozenset[Role], process_id: UUID, outcome: str, sent: Mapping[str, int]
    ) -> None:
        """Closes or cancels a published process."""
