"""`billing notification`: who is told of what, and what became of it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer

from billing_app import clock, wiring
from billing_app.cli.printing import ACTOR, AsJson, print_done, print_items
from billing_app.domain.common.errors import NotFoundError
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.notifications import choices as notification_choices
from billing_app.services.notifications import delivery_log, webhook_endpoints
from billing_app.services.notifications.views import DeliveryAnswer
from billing_app.services.notifications.webhook_endpoints import WebhookEndpoint
from billing_app.settings import settings

app = typer.Typer(no_args_is_help=True)

PAGE = 200
"""Deliveries that are listed: the newest."""

Address = Annotated[str, typer.Argument(help="the organization's address")]
WebhookId = Annotated[str, typer.Argument(help="the webhook's id, as `billing notification list` shows it")]


@app.command("list")
def list_told(address: Address, as_json: AsJson = False) -> None:
    """List who is told of what: roles, single members, webhooks.

    Example: billing notification list acme
    """
    with wiring.database().reading() as session:
        organization = organizations.by_address(session, address)
        choices = notification_choices.read(session, organization)
        endpoints = webhook_endpoints.every(session, organization)
    items: list[dict[str, Any]] = [
        {"way": "mail", "id": "", "told": name, "kinds": list(kinds), "state": ""}
        for name, kinds in (*choices.roles.items(), *choices.people.items())
    ]
    items += [
        {"way": "webhook", "id": each.id, "told": each.url, "kinds": list(choices.webhooks[each.id]),
         "state": _state(each)}
        for each in endpoints
    ]  # fmt: skip
    shown = [item if as_json else {**item, "kinds": f"{len(item['kinds'])} kinds"} for item in items]
    print_items(shown, ("way", "told", "kinds", "state", "id"), as_json=as_json)


@app.command("add-webhook")
def add_webhook(
    address: Address,
    url: Annotated[str, typer.Argument(help="where it goes")],
    description: Annotated[str, typer.Option(help="what it is")] = "",
    as_json: AsJson = False,
) -> None:
    """Add a webhook and print its signing secret, which is shown this once.

    Example: billing notification add-webhook acme https://example.com/webhooks --description CRM
    """
    from billing_app.gateways.webhooks import reachable

    with wiring.database().writing() as session:
        made = webhook_endpoints.create(
            Context(session, organizations.by_address(session, address), clock.now(), ACTOR),
            url,
            description=description,
            private=reachable(settings()),
        )
    done = {"id": made.id, "url": made.url, "secret": made.secret}
    print_done(done, made.secret, as_json=as_json)


@app.command()
def enable(address: Address, webhook: WebhookId, as_json: AsJson = False) -> None:
    """Switch a webhook on again. It hears of what happens from now on.

    Example: billing notification enable acme 019a3c5e-7d1f-7b52-8a55-2f6c1d9be001
    """
    with wiring.database().writing() as session:
        found = organizations.by_address(session, address)
        row = webhook_endpoints.enable(Context(session, found, clock.now(), ACTOR), _id(webhook))
    print_done({"id": row.id, "url": row.url, "state": _state(row)}, f"{row.url} is on.", as_json=as_json)


@app.command()
def test(address: Address, webhook: WebhookId, as_json: AsJson = False) -> None:
    """Send a test to a webhook. The console that serves sends it within seconds.

    Example: billing notification test acme 019a3c5e-7d1f-7b52-8a55-2f6c1d9be001
    """
    with wiring.database().writing() as session:
        made = delivery_log.test(
            Context(session, organizations.by_address(session, address), clock.now()), _id(webhook)
        )
    print_done({"delivery": made}, f"On its way as {made}.", as_json=as_json)


@app.command("delete-webhook")
def delete_webhook(address: Address, webhook: WebhookId, as_json: AsJson = False) -> None:
    """Send nothing there any more, also nothing that waits.

    Example: billing notification delete-webhook acme 019a3c5e-7d1f-7b52-8a55-2f6c1d9be001
    """
    with wiring.database().writing() as session:
        found = organizations.by_address(session, address)
        row = webhook_endpoints.delete(Context(session, found, clock.now(), ACTOR), _id(webhook))
    print_done({"id": row.id, "url": row.url}, f"Nothing is sent to {row.url} any more.", as_json=as_json)


@app.command()
def deliveries(
    address: Address,
    state: Annotated[str, typer.Option(help="waiting, delivered or failed; default: all")] = "",
    as_json: AsJson = False,
) -> None:
    """List what was sent or is to be, the newest first.

    Example: billing notification deliveries acme --state failed
    """
    with wiring.database().reading() as session:
        found = delivery_log.latest(
            Context(session, organizations.by_address(session, address), clock.now()), PAGE, state=state
        )
    columns = ("created_at", "title", "address", "state", "attempts", "error", "id")
    print_items([_item(each) for each in found], columns, as_json=as_json)


@app.command()
def resend(
    address: Address,
    delivery: Annotated[str, typer.Argument(help="the delivery's id, as `billing notification deliveries` shows it")],
    as_json: AsJson = False,
) -> None:
    """Send a message once more, under the same id.

    Example: billing notification resend acme 019a3c5e-7d1f-7b52-8a55-2f6c1d9be001
    """
    with wiring.database().writing() as session:
        found, now = organizations.by_address(session, address), clock.now()
        delivery_log.resend(Context(session, found, now), _id(delivery))
        view = delivery_log.one(Context(session, found, now), _id(delivery))
    print_done(_item(view), f"{view.title} is on its way again.", as_json=as_json)


def _item(view: DeliveryAnswer) -> dict[str, Any]:
    names = ("id", "kind", "title", "channel", "address", "state", "attempts", "created_at", "next_try_at")
    return {name: getattr(view, name) for name in names} | {"error": view.last.error if view.last else ""}


def _state(row: WebhookEndpoint) -> str:
    if row.disabled_at is not None:
        return "off"
    return "failing" if row.failing_since is not None else "on"


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFoundError(f"There is nothing with the id {text!r}.", code="webhook_not_found") from None
