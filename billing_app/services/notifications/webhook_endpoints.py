"""Webhook endpoints of an organization: made, given a new secret, switched off and on, deleted."""

from __future__ import annotations

import base64
import ipaddress
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from sqlmodel import Session

from billing_app.domain.common.errors import ConflictError, InvalidError, NotFoundError
from billing_app.gateways.webhooks import Network, allowed, plain
from billing_app.gateways.webhooks import reachable as reachable
from billing_app.services.common import audit, organizations
from billing_app.services.common.answers import filled
from billing_app.services.common.context import Context
from billing_app.services.notifications import choices
from billing_app.services.notifications.views import NewWebhookAnswer
from billing_app.store.common import locks
from billing_app.store.notifications import choices as store
from billing_app.store.notifications import deliveries as delivery_store
from billing_app.store.notifications import outbox
from billing_app.store.tables.notifications import WebhookEndpoint
from billing_app.store.tables.organizations import Organization

MAX_ENDPOINTS = 5
"""Of one organization: each costs a request for every event."""

MAX_URL, MAX_DESCRIPTION = 2_000, 100
"""Characters."""

OVERLAP = timedelta(hours=24)
"""How long the old secret signs beside the new one: a day to bring the new one to every receiver."""

SECRET_PREFIX = "whsec_"  # noqa: S105  what a secret begins with
SECRET_BYTES = 32
"""Standard Webhooks wants 24 to 64."""

PERSISTENT = timedelta(days=3)
"""An endpoint that has taken nothing for so long is switched off."""

LOOPBACK_NAMES = ("localhost",)


def create(
    context: Context,
    url: str,
    *,
    description: str = "",
    kinds: Collection[str] | None = None,
    private: tuple[Network, ...] = (),
    since: datetime | None = None,
) -> NewWebhookAnswer:
    """A new endpoint, told of `kinds` (None: of everything, what later versions add too).

    It is told of what happens from now on, or has happened `since` then.
    Raises InvalidError `invalid_url`, `invalid_description` or `unknown_kind`, ConflictError `too_many_webhooks`.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    now = locks.hold(session, owner, now)  # of nine at once with room for five, five pass
    if len(store.endpoints(session, owner)) >= MAX_ENDPOINTS:
        raise ConflictError(f"An organization has at most {MAX_ENDPOINTS} endpoints.", code="too_many_webhooks")
    if len(description) > MAX_DESCRIPTION or (description and not description.isprintable()):
        raise InvalidError(
            f"A description has at most {MAX_DESCRIPTION} visible characters.", code="invalid_description"
        )
    secret = _new_secret()
    row = WebhookEndpoint(
        organization_id=owner, url=valid_url(url, private), description=description.strip(), secret=secret,
        created_by=actor, created_at=since or now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    if kinds is not None:
        choices.choose_all(session, owner, choices.of_endpoint(row.id), kinds)
    audit.record(session, owner, now, actor, "webhook.created", row.url)
    organizations.raise_revision(session, owner)
    return filled(NewWebhookAnswer, row, arrived_at=None)


def rotate(context: Context, endpoint_id: UUID) -> NewWebhookAnswer:
    """A new secret; the old one signs beside it for OVERLAP. Raises NotFoundError `webhook_not_found`.

    Of two at once the second replaces the first one's, which goes on signing beside it: both were shown to somebody.
    """
    session, now, actor = context.session, context.now, context.actor
    row, now = _held(context, endpoint_id)
    row.old_secret, row.old_secret_until = row.secret, now + OVERLAP
    row.secret = _new_secret()
    session.add(row)
    session.flush()
    audit.record(session, row.organization_id, now, actor, "webhook.secret_changed", row.url)
    organizations.raise_revision(session, row.organization_id)
    return filled(NewWebhookAnswer, row, arrived_at=None)


def delete(context: Context, endpoint_id: UUID) -> WebhookEndpoint:
    """Sends nothing there any more, and forgets its secrets. Raises NotFoundError `webhook_not_found`."""
    session, now, actor = context.session, context.now, context.actor
    row, now = _held(context, endpoint_id)
    row.deleted_at, row.secret, row.old_secret, row.old_secret_until = now, "", "", None
    session.add(row)
    session.flush()
    store.forget(session, row.organization_id, choices.of_endpoint(row.id))
    delivery_store.give_up(session, row.organization_id, row.id, now)
    audit.record(session, row.organization_id, now, actor, "webhook.deleted", row.url)
    organizations.raise_revision(session, row.organization_id)
    return row


def enable(context: Context, endpoint_id: UUID) -> WebhookEndpoint:
    """Enables it again, for what happens from now on. Raises NotFoundError `webhook_not_found`."""
    session, now, actor = context.session, context.now, context.actor
    row, now = _held(context, endpoint_id)
    row.disabled_at, row.disabled_reason, row.failing_since = None, "", None
    session.add(row)
    session.flush()
    audit.record(session, row.organization_id, now, actor, "webhook.enabled", row.url)
    organizations.raise_revision(session, row.organization_id)
    return row


def disable(session: Session, row: WebhookEndpoint, reason: str, now: datetime) -> None:
    """Switches an endpoint off that takes nothing, and says so: what waits for it is given up, and people are told."""
    row.disabled_at, row.disabled_reason = now, reason
    session.add(row)
    session.flush()
    delivery_store.give_up(session, row.organization_id, row.id, now)
    audit.record(session, row.organization_id, now, audit.SYSTEM, "webhook.disabled", row.url, after={"reason": reason})
    payload = {"endpoint": str(row.id), "url": row.url, "reason": reason}
    key = f"webhook:{row.id}:disabled:{now.isoformat()}"
    outbox.add(session, row.organization_id, "webhook.disabled", key, payload, now, now)
    organizations.raise_revision(session, row.organization_id)


def every(session: Session, organization: Organization) -> list[WebhookEndpoint]:
    """The endpoints, the oldest first."""
    return store.endpoints(session, organization.pk)


def ever(session: Session, organization: Organization) -> list[WebhookEndpoint]:
    """Those that were deleted, too."""
    return store.endpoints(session, organization.pk, deleted=True)


def move(session: Session, row: WebhookEndpoint, url: str) -> None:
    """Sends to where a receiver of this machine is now: the demo's, whose port is another at each start."""
    if row.url != url:
        row.url = url
        session.add(row)
        organizations.raise_revision(session, row.organization_id)


def one(session: Session, organization: Organization, endpoint_id: UUID) -> WebhookEndpoint:
    """One endpoint. Raises NotFoundError `webhook_not_found`."""
    found = store.endpoint(session, organization.pk, endpoint_id)
    if found is None:
        raise NotFoundError("There is no such webhook endpoint.", code="webhook_not_found")
    return found


def _held(context: Context, endpoint_id: UUID) -> tuple[WebhookEndpoint, datetime]:
    """One endpoint as it is once the organization's row is locked, and the moment."""
    session, organization, now = context.session, context.organization, context.now
    now = locks.hold(session, organization.pk, now)
    return one(session, organization, endpoint_id), now


def secrets_of(row: WebhookEndpoint, now: datetime) -> list[str]:
    """The secrets that sign now, the newest first."""
    old = row.old_secret if row.old_secret_until is not None and now < row.old_secret_until else ""
    return [row.secret, *([old] if old else [])]


def valid_url(url: str, private: tuple[Network, ...]) -> str:
    """The URL as it is kept. Raises InvalidError `invalid_url`.

    Names are resolved when something is sent, each time anew; here only what is plainly wrong is refused.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise _invalid("This is not the address of a web server.") from None
    if (
        len(url) > MAX_URL
        or not url.isascii()
        or not url.isprintable()
        or " " in url
        or not host
        or "@" in parts.netloc
    ):
        raise _invalid("An endpoint's address is like https://example.com/webhooks, without name or password in it.")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is not None and not allowed(address, private):
        raise _invalid("Nothing is sent to addresses inside a private network.")
    local = host in LOOPBACK_NAMES or (address is not None and plain(address).is_loopback)
    if parts.scheme != "https" and not (parts.scheme == "http" and local and private):
        raise _invalid("An endpoint's address begins with https://.")
    return parts._replace(fragment="").geturl()


def _invalid(detail: str) -> InvalidError:
    return InvalidError(detail, code="invalid_url")


def _new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
