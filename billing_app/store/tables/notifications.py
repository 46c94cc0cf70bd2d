"""What the outside is told: events, written with the facts that caused them, who is told of what, where webhooks go,
what became of each delivery, and mails to those who run the console.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field

from billing_app.store.tables.base import Big, Moment, Table, new_id


class NotificationChoice(Table, table=True):
    """One choice that an organization made; without a row the default holds.

    `audience` is `role:admin` and the like, `person:<user id>` or `endpoint:<endpoint id>`.
    """

    __tablename__ = "notification_choices"

    organization_id: int = Field(primary_key=True, sa_type=Big, foreign_key="organizations.id")
    audience: str = Field(primary_key=True, max_length=60)
    kind: str = Field(primary_key=True, max_length=60)
    notified: bool


class WebhookEndpoint(Table, table=True):
    """Where an organization's webhooks go. A deleted one stays for its deliveries, without its secret.

    `secret` is kept as it is, because each message is signed with it (decision 11); `old_secret` signs beside it until
    `old_secret_until`. `failing_since` is when the first attempt failed of those since the last that worked.
    """

    __tablename__ = "webhook_endpoints"

    organization_id: int = Field(primary_key=True, sa_type=Big, foreign_key="organizations.id")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    url: str = Field(max_length=2_000)
    description: str = Field(default="", max_length=100)
    secret: str = Field(default="", max_length=100, repr=False)
    old_secret: str = Field(default="", max_length=100, repr=False)
    old_secret_until: datetime | None = Field(default=None, sa_type=Moment)
    created_by: str = Field(default="", max_length=254)
    created_at: datetime = Field(sa_type=Moment)
    failing_since: datetime | None = Field(default=None, sa_type=Moment)
    disabled_at: datetime | None = Field(default=None, sa_type=Moment)
    disabled_reason: str = Field(default="", max_length=500)
    deleted_at: datetime | None = Field(default=None, sa_type=Moment)


class Delivery(Table, table=True):
    """One message on its way to one receiver, once: the unique key lets a repeated fan-out add nothing.

    `target` is the endpoint or the user, `address` the URL or the mail address as it was. It is due at `next_try_at`
    (null: finished), and while `claimed_until` lies ahead whoever holds `claim` is at it.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "message_id"], ["outbox.organization_id", "outbox.id"]),
        Index(
            "uq_deliveries_organization_id_message_id_channel_target",
            "organization_id", "message_id", "channel", "target",
            unique=True,
        ),
        Index("ix_deliveries_next_try_at", "next_try_at"),
        Index("ix_deliveries_finished_at", "finished_at"),
        CheckConstraint("channel IN ('webhook', 'mail')", name="channel"),
        CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name="state"),
    )  # fmt: skip

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    id: UUID = Field(default_factory=new_id, primary_key=True)
    message_id: UUID
    channel: str = Field(max_length=20)
    target: UUID
    address: str = Field(max_length=2_000)
    state: str = Field(default="waiting", max_length=20)
    tries: int = Field(default=0, description="since it was last made due; says when to try next")
    attempts: int = Field(default=0, description="ever begun")
    next_try_at: datetime | None = Field(default=None, sa_type=Moment)
    claim: str = Field(default="", max_length=32)
    claimed_until: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)


class DeliveryAttempt(Table, table=True):
    """One try and what came of it. A number without a row was begun by a process that died."""

    __tablename__ = "delivery_attempts"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "delivery_id"], ["deliveries.organization_id", "deliveries.id"]),
    )

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    delivery_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    started_at: datetime = Field(sa_type=Moment)
    duration_ms: int
    status: int | None = None
    error: str = Field(default="", max_length=500)
    answer: str = Field(default="", sa_type=Text)


class OutboxMessage(Table, table=True):
    """Something that an organization is to be told. `key` makes it once: the same key is the same message."""

    __tablename__ = "outbox"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        Index("uq_outbox_organization_id_key", "organization_id", "key", unique=True),
        Index(
            "ix_outbox_waiting",
            "organization_id", "id",
            postgresql_where=text("fanned_out_at IS NULL"), sqlite_where=text("fanned_out_at IS NULL"),
        ),
        Index("ix_outbox_fanned_out_at", "fanned_out_at"),
    )  # fmt: skip

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    id: UUID = Field(primary_key=True, default_factory=new_id)
    kind: str
    metric: str | None = None
    key: str
    payload: str = Field(sa_type=Text)
    occurred_at: datetime = Field(sa_type=Moment)
    recorded_at: datetime = Field(sa_type=Moment)
    fanned_out_at: datetime | None = Field(default=None, sa_type=Moment, description="when its deliveries were made")


class ThresholdMark(Table, table=True):
    """The highest percentage told so far of a period's plan or of a grant's credits; for `blocked`, 0 or 1."""

    __tablename__ = "threshold_marks"
    __table_args__ = (ForeignKeyConstraint(["organization_id"], ["organizations.id"]),)

    organization_id: int = Field(primary_key=True, sa_type=Big, sa_column_kwargs={"autoincrement": False})
    metric: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    percent: int


class OperatorMail(Table, table=True):
    """One mail to one operator, once per `key`. Due at `next_try_at`; null: sent, or given up."""

    __tablename__ = "operator_mails"
    __table_args__ = (Index("ix_operator_mails_next_try_at", "next_try_at"),)

    key: str = Field(primary_key=True, max_length=120)
    user_id: UUID = Field(primary_key=True, foreign_key="users.id")
    subject: str = Field(max_length=200)
    text: str = Field(sa_type=Text)
    page: str = Field(max_length=200, description="path of the page that shows more")
    created_at: datetime = Field(sa_type=Moment)
    tries: int = 0
    next_try_at: datetime | None = Field(default=None, sa_type=Moment)
    sent_at: datetime | None = Field(default=None, sa_type=Moment)
    error: str = Field(default="", max_length=500)
