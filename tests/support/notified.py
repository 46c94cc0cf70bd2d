"""An organization with whoever is told of its events: a receiver of webhooks, a postbox, a clock to be put forward."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from billing_app import clock
from billing_app.db import Database
from billing_app.domain.notifications.kinds import KINDS
from billing_app.gateways.mail import SmtpMailer
from billing_app.gateways.webhooks import HttpWebhookSender, networks
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.notifications import deliveries, delivery_log, fan_out, webhook_endpoints
from billing_app.services.notifications.deliveries import Courier, Delivered
from billing_app.store.notifications import outbox
from billing_app.store.tables.notifications import WebhookEndpoint
from tests.support.postbox import Postbox
from tests.support.webhook_receiver import Receiver

HERE = networks("127.0.0.0/8")


@dataclass
class Post:
    """An organization with its database, its clock, and whoever is told."""

    database: Database
    receiver: Receiver
    postbox: Postbox
    now: datetime = field(default_factory=clock.now)
    address: str = "acme"
    secret: str = field(default="", repr=False)
    mailing: bool = True

    def courier(self) -> Courier:
        mailer = SmtpMailer.at(self.postbox.url, "Billing <billing@console.example>") if self.mailing else None
        sender = HttpWebhookSender(HERE, 1.0)
        return Courier(
            self.database.writing, self.database.reading, sender, mailer, lambda: self.now, "https://console.example"
        )

    def endpoint(self, path: str = "", **options: Any) -> UUID:
        """A new endpoint at the receiver."""
        with self.database.writing() as session:
            made = webhook_endpoints.create(
                Context(session, organizations.by_address(session, self.address), self.now, "ada"),
                self.receiver.url + path,
                private=HERE,
                **options,
            )
        self.secret = made.secret
        return made.id

    def happens(self, kind: str = "metric.blocked", key: str = "", **payload: Any) -> None:
        """Something that is told."""
        example = dict(next(each.example for each in KINDS if each.id == kind)) | payload
        with self.database.writing() as session:
            owner = organizations.by_address(session, self.address).pk
            key = key or f"{kind}:{self.now.isoformat()}"
            assert outbox.add(session, owner, kind, key, example, self.now, self.now, example.get("metric"))

    def fan_out(self) -> int:
        with self.database.writing() as session:
            owner = organizations.by_address(session, self.address).pk
            return fan_out.fan_out(session, owner, self.now, mailing=self.mailing)

    def deliver(self, **limits: int) -> Delivered:
        return deliveries.deliver(self.courier(), **limits)

    def goes_out(self, kind: str = "metric.blocked", **payload: Any) -> Delivered:
        """Something happens, and whoever is to be told is."""
        self.happens(kind, **payload)
        self.fan_out()
        return self.deliver()

    def log(self) -> list[delivery_log.DeliveryAnswer]:
        with self.database.reading() as session:
            return delivery_log.latest(Context(session, organizations.by_address(session, self.address), self.now), 50)

    def row(self, endpoint_id: UUID) -> WebhookEndpoint:
        with self.database.reading() as session:
            return webhook_endpoints.one(session, organizations.by_address(session, self.address), endpoint_id)

    def do(self, work: Any, *arguments: Any, at: datetime, actor: str = "", **options: Any) -> Any:
        """Calls a service in a transaction of its own."""
        with self.database.writing() as session:
            context = Context(session, organizations.by_address(session, self.address), at, actor)
            return work(context, *arguments, **options)

    def passes(self, **time: float) -> None:
        self.now += timedelta(**time)
