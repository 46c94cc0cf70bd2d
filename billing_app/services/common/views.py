"""What every subject shows: entries of the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. `who` names a person or a key; `address` is empty for what belongs to the whole console."""

    id: UUID
    at: datetime
    actor: str
    who: str
    action: str
    subject: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    address: str = ""

    @property
    def place(self) -> tuple[datetime, UUID]:
        """Where it is in the list."""
        return self.at, self.id
