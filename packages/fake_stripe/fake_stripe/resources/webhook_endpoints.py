"""Webhook endpoints: who is told, of what, signed with which secret."""

from typing import Any

import stripe

from fake_stripe import changes, ids
from fake_stripe.account import Account
from fake_stripe.errors import StripeError
from fake_stripe.events import API_VERSION
from fake_stripe.resource import Listing, Request, Resource, delete, listing, operation, retrieve
from fake_stripe.storage.objects import Body

WEBHOOK_ENDPOINT = Resource(stripe.WebhookEndpoint, "we", frozenset({"deleted", "secret"}))
MAX_ENDPOINTS = 16


@operation("webhook_endpoints.create")
def create(account: Account, request: Request) -> Body:
    """The answer is the only one that shows the secret."""
    parameters = request.parameters
    version = parameters.get("api_version")
    if version not in (None, API_VERSION):
        raise StripeError(f"The fake Stripe sends events of {API_VERSION} only.", param="api_version")
    body = make(
        account,
        parameters["url"],
        parameters["enabled_events"],
        api_version=version,
        description=parameters.get("description"),
        metadata=changes.metadata(parameters),
    )
    return {**body, "secret": body["_secret"]}


def make(account: Account, url: str, enabled_events: list[str], secret: str | None = None, **values: Any) -> Body:
    """Keep an endpoint; without `secret` it gets a fresh one."""
    _refuse_bad_url(url)
    if len(account.all(WEBHOOK_ENDPOINT.kind)) >= MAX_ENDPOINTS:
        raise StripeError(f"An account has at most {MAX_ENDPOINTS} webhook endpoints.")
    body = WEBHOOK_ENDPOINT.new(
        account,
        enabled_events=enabled_events,
        status="enabled",
        url=url,
        _secret=secret or ids.make("whsec", ids.WEBHOOK_SECRET_LENGTH),
        **values,
    )
    return account.add(body)


def _refuse_bad_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise StripeError("Invalid URL: it must begin with http:// or https://", code="url_invalid", param="url")


@operation("webhook_endpoints.update")
def update(account: Account, request: Request) -> Body:
    """Change where, what, or whether."""
    parameters = request.parameters
    body = account.get(request.ids[0], WEBHOOK_ENDPOINT.kind)
    wanted = changes.given(parameters, ("url", "enabled_events", "description"))
    if "url" in wanted:
        _refuse_bad_url(wanted["url"])
    if "disabled" in parameters:
        wanted["status"] = "disabled" if parameters["disabled"] else "enabled"
    wanted["metadata"] = changes.metadata(parameters, body["metadata"])
    return account.change(body, None, **wanted)


retrieve("webhook_endpoints.retrieve", WEBHOOK_ENDPOINT)
delete("webhook_endpoints.delete", WEBHOOK_ENDPOINT, None)
listing("webhook_endpoints.list", Listing(WEBHOOK_ENDPOINT))
