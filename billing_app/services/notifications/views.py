"""What the page of alerts shows: who is told of what, where webhooks go, what was sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from billing_app.domain.catalogue import Metric
from billing_app.domain.notifications.kinds import Kind


@dataclass(frozen=True, slots=True)
class AudienceView:
    """Somebody who can be told: by `mail` a role or a member, or a webhook endpoint. `people` of a role: how many."""

    id: str
    channel: str
    name: str
    kinds: frozenset[str]
    people: int = 0
    email: str = ""
    """Of a single member, who can be taken out again."""


@dataclass(frozen=True, slots=True)
class EndpointView:
    """A webhook endpoint, without its secret."""

    id: UUID
    url: str
    description: str
    created_at: datetime
    failing_since: datetime | None
    disabled_at: datetime | None
    disabled_reason: str
    old_secret_until: datetime | None
    arrived_at: datetime | None = None
    """When a message last reached it."""


@dataclass(frozen=True, slots=True)
class AlertsView:
    """Everything. `example` is a metric with a limited allowance, for saying thresholds in its figures."""

    now: datetime
    mail: bool
    kinds: tuple[Kind, ...]
    audiences: tuple[AudienceView, ...]
    others: tuple[tuple[str, str], ...]
    """Members who could be told beside their role: e-mail address and name."""
    endpoints: tuple[EndpointView, ...]
    deliveries: tuple[DeliveryView, ...]
    more: bool
    """There are older deliveries than these."""
    opened: DeliveryView | None
    example: tuple[Metric, int] | None


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One try. `status` is None where nobody answered; `error` is empty if it worked."""

    number: int
    started_at: datetime
    duration_ms: int
    status: int | None
    error: str
    answer: str


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One message on its way to one receiver. `last` is its last try; `body` what a webhook says."""

    id: UUID
    message_id: str
    kind: str
    title: str
    channel: str
    target: UUID
    address: str
    state: str
    attempts: int
    occurred_at: datetime
    created_at: datetime
    next_try_at: datetime | None
    finished_at: datetime | None
    last: AttemptView | None = None
    body: str = ""
    log: tuple[AttemptView, ...] = field(default=())
