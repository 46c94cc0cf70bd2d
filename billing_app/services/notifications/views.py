"""What the page of alerts shows: who is told of what, where webhooks go, what was sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from billing_app.domain.catalogue import Metric
from billing_app.domain.notifications.kinds import Kind
from billing_app.services.common.answers import Internal


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
class WebhookAnswer:
    """An endpoint. `failing_since`: nothing has arrived since; `disabled_at`: nothing is sent any more, and why."""

    id: UUID
    url: str
    description: str
    created_at: datetime
    failing_since: datetime | None
    disabled_at: datetime | None
    disabled_reason: str
    old_secret_until: datetime | None
    arrived_at: Internal[datetime | None]
    """When a message last reached it; not known where nobody asked."""


@dataclass(frozen=True, slots=True)
class NewWebhookAnswer(WebhookAnswer):
    """An endpoint with its secret, which is shown now and never again."""

    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AlertsView:
    """Everything. `example` is a metric with a limited allowance, for saying thresholds in its figures."""

    now: datetime
    mail: bool
    kinds: tuple[Kind, ...]
    audiences: tuple[AudienceView, ...]
    others: tuple[tuple[str, str], ...]
    """Members who could be told beside their role: e-mail address and name."""
    endpoints: tuple[WebhookAnswer, ...]
    deliveries: tuple[DeliveryAnswer, ...]
    more: bool
    """There are older deliveries than these."""
    opened: DeliveryDetailAnswer | None
    example: tuple[Metric, int] | None


@dataclass(frozen=True, slots=True)
class AttemptAnswer:
    """One try. `status` is null where nobody answered; `error` is empty if it worked."""

    number: int
    started_at: datetime
    duration_ms: int
    status: int | None
    error: str
    answer: str


@dataclass(frozen=True, slots=True)
class DeliveryAnswer:
    """One message on its way to one receiver. `message_id` is the webhook-id, the same at every try."""

    id: UUID
    message_id: str
    kind: str
    title: str
    channel: Literal["webhook", "mail"]
    target: UUID
    address: str
    state: Literal["waiting", "delivered", "failed"]
    attempts: int
    occurred_at: datetime
    created_at: datetime
    next_try_at: datetime | None
    finished_at: datetime | None
    last: AttemptAnswer | None


@dataclass(frozen=True, slots=True)
class DeliveryDetailAnswer(DeliveryAnswer):
    """The same with its log, the latest try first, and the body that a webhook has."""

    body: str
    log: tuple[AttemptAnswer, ...]
