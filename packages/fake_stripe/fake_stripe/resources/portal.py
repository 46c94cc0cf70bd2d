"""The billing portal: what customers may do there, and a session that lets one in."""

from typing import Any

import stripe

from fake_stripe import changes, errors, ids
from fake_stripe.account import Account
from fake_stripe.contract.parameters import Parameters
from fake_stripe.contract.shapes import build
from fake_stripe.resource import Listing, Request, Resource, listing, operation, retrieve
from fake_stripe.storage.objects import Body

CONFIGURATION = Resource(stripe.billing_portal.Configuration, "bpc", frozenset({"deleted"}))
SESSION = Resource(stripe.billing_portal.Session, "bps", frozenset({"deleted"}))
_FEATURES = stripe.billing_portal.Configuration.Features
_REASONS = ["customer_service", "low_quality", "missing_features", "other", "switched_service"]
_REASONS += ["too_complex", "too_expensive", "unused"]
_FLOWS = ("payment_method_update", "subscription_cancel", "subscription_update", "subscription_update_confirm")


def _features(sent: dict[str, Any]) -> Body:
    """Every feature, off unless it was sent."""
    cancel: dict[str, Any] = {
        "mode": "at_period_end",
        "proration_behavior": "none",
        **sent.get("subscription_cancel", {}),
    }
    cancel["cancellation_reason"] = {
        "feedback_options": None,
        "enabled": False,
        "options": _REASONS,
        **cancel.get("cancellation_reason", {}),
    }
    cancel["enabled"] = cancel.get("enabled", False)
    update: dict[str, Any] = {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
        **sent.get("subscription_update", {}),
    }
    for product in update.get("products") or []:
        standard = {"enabled": False, "maximum": None, "minimum": 1}
        product["adjustable_quantity"] = {**standard, **product.get("adjustable_quantity", {})}
    pause = {"duration": {"interval_options": [], "type": "indefinite"}, "enabled": False}
    return {
        "customer_update": {"allowed_updates": [], "enabled": False, **sent.get("customer_update", {})},
        "invoice_history": {"enabled": False, **sent.get("invoice_history", {})},
        "payment_method_update": build(
            _FEATURES.PaymentMethodUpdate, **{"enabled": False, **sent.get("payment_method_update", {})}
        ),
        "subscription_cancel": cancel,
        "subscription_pause": {**pause, **sent.get("subscription_pause", {})},
        "subscription_update": build(_FEATURES.SubscriptionUpdate, **{"enabled": False, **update}),
    }


def _new(account: Account, features: dict[str, Any], **values: Any) -> Body:
    body = CONFIGURATION.new(
        account,
        active=True,
        features=_features(features),
        updated=account.now(),
        **{"metadata": {}, "is_default": False, "login_page": {"enabled": False, "url": None}, **values},
    )
    return account.add(body, "billing_portal.configuration.created")


@operation("billing_portal.configurations.create")
def create(account: Account, request: Request) -> Body:
    """What customers may do."""
    parameters = request.parameters
    profile = {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None}
    profile.update(changes.given(parameters.group("business_profile"), tuple(profile)))
    return _new(
        account,
        parameters.group("features").plain(),
        business_profile=profile,
        metadata=changes.metadata(parameters),
        **changes.given(parameters, ("default_return_url", "name")),
    )


@operation("billing_portal.configurations.update")
def update(account: Account, request: Request) -> Body:
    """Features named are replaced, the others stay."""
    parameters = request.parameters
    body = account.get(request.ids[0], CONFIGURATION.kind)
    sent = parameters.group("features").plain()
    features: dict[str, Any] = {**body["features"], **{name: _features(sent)[name] for name in sent}}
    wanted = changes.given(parameters, ("active", "default_return_url", "name"))
    wanted["metadata"] = changes.metadata(parameters, body["metadata"])
    return account.change(
        body, "billing_portal.configuration.updated", features=features, updated=account.now(), **wanted
    )


def _default(account: Account) -> Body:
    """The configuration of an account that made none: everything that needs no list of products."""
    found = account.all(CONFIGURATION.kind, is_default=True)
    if found:
        return found[0]
    enabled = {"enabled": True}
    features: dict[str, Any] = dict.fromkeys(
        ("invoice_history", "payment_method_update", "subscription_cancel"), enabled
    )
    features["customer_update"] = {"enabled": True, "allowed_updates": ["email", "name"]}
    return _new(account, features, is_default=True)


@operation("billing_portal.sessions.create")
def create_session(account: Account, request: Request) -> Body:
    """Let a customer in; the address works for as long as the session is kept."""
    parameters = request.parameters
    customer = account.get(parameters.get("customer") or "", "customer", "customer")
    chosen = parameters.get("configuration")
    configuration = account.get(chosen, CONFIGURATION.kind, "configuration") if chosen else _default(account)
    session = SESSION.new(
        account,
        configuration=configuration["id"],
        customer=customer["id"],
        flow=_flow(account, parameters),
        locale=parameters.get("locale"),
        return_url=parameters.get("return_url") or configuration["default_return_url"],
        url="",
        _ticket=ids.make("ticket", ids.SESSION_LENGTH),
    )
    # The id is in the API's answers and logs; what opens the page is a secret of its own.
    session["url"] = f"{account.public_url}/portal/{session['_ticket']}"
    return account.add(session, "billing_portal.session.created")


def _flow(account: Account, parameters: Parameters) -> Body | None:
    if "flow_data" not in parameters:
        return None
    sent = parameters.group("flow_data").plain()
    if sent["type"] not in _FLOWS:
        raise errors.unsupported("flow_data[type]")
    part: dict[str, Any] = sent.get(sent["type"]) or {}
    if "subscription" in part:
        account.get(part["subscription"], "subscription", f"flow_data[{sent['type']}][subscription]")
    after = {"hosted_confirmation": None, "redirect": None, **sent.get("after_completion", {"type": "portal_homepage"})}
    if sent["type"] == "subscription_cancel":
        part = {"retention": None, **part}
    if sent["type"] == "subscription_update_confirm":
        items = [{"price": None, "quantity": None, "id": None, **item} for item in part["items"]]
        part = {"discounts": None, **part, "items": items}
    flow = {sent["type"]: part} if sent["type"].startswith("subscription") else {}
    return build(stripe.billing_portal.Session.Flow, type=sent["type"], after_completion=after, **flow)


retrieve("billing_portal.configurations.retrieve", CONFIGURATION)
listing("billing_portal.configurations.list", Listing(CONFIGURATION))
