"""Checkout Sessions over the API: create, read, list with their lines, expire."""

from collections.abc import Callable

import stripe

from fake_stripe import changes, errors, ids
from fake_stripe.account import Account
from fake_stripe.contract.parameters import Parameters
from fake_stripe.contract.shapes import build
from fake_stripe.expansion import includable
from fake_stripe.payments import baskets, checkout
from fake_stripe.resource import (
    Listing,
    Request,
    Resource,
    envelope,
    listing,
    operation,
    retrieve,
    slice_page,
)
from fake_stripe.resources.payment_intents import refuse_bad_amount
from fake_stripe.storage.objects import Body

SESSION = Resource(
    stripe.checkout.Session, "cs_test", frozenset({"deleted", "line_items", "presentment_details"}), ids.SESSION_LENGTH
)
DEFAULT_LIFETIME_SECONDS = 24 * 3600
SHORTEST_LIFETIME_SECONDS = 30 * 60
MAX_SUBSCRIPTION_LINES = 20
_ECHOED = (
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer_email",
    "integration_identifier",
    "locale",
    "origin_context",
    "submit_type",
    "success_url",
)
_ECHOED_PARTS = {
    "adaptive_pricing": stripe.checkout.Session.AdaptivePricing,
    "automatic_tax": stripe.checkout.Session.AutomaticTax,
    "consent_collection": stripe.checkout.Session.ConsentCollection,
    "custom_text": stripe.checkout.Session.CustomText,
    "invoice_creation": stripe.checkout.Session.InvoiceCreation,
    "phone_number_collection": stripe.checkout.Session.PhoneNumberCollection,
    "saved_payment_method_options": stripe.checkout.Session.SavedPaymentMethodOptions,
    "tax_id_collection": stripe.checkout.Session.TaxIdCollection,
}
_DATA = {"payment": "payment_intent_data", "subscription": "subscription_data", "setup": "setup_intent_data"}


@operation("checkout.sessions.create")
def create(account: Account, request: Request) -> Body:
    """An open session with the address of its hosted page."""
    parameters = request.parameters
    mode = _mode(parameters)
    _refuse_contradictions(parameters, mode)
    clock = account.clock_of(_customer(account, parameters))
    lines = _lines(account, parameters, mode)
    session = SESSION.new(
        account,
        clock,
        allow_promotion_codes=parameters.get("allow_promotion_codes"),
        currency=_currency(parameters, lines),
        customer=parameters.get("customer"),
        customer_creation=parameters.get("customer_creation", "if_required") if mode == "payment" else None,
        expires_at=_expiry(parameters, account.now()),
        metadata=changes.metadata(parameters),
        mode=mode,
        payment_method_collection=parameters.get("payment_method_collection", "always" if mode != "setup" else None),
        payment_method_types=["card"] if mode == "setup" else _method_types(parameters),
        payment_status="unpaid" if mode != "setup" else "no_payment_required",
        status="open",
        ui_mode="hosted_page",
        _clock=clock,
        _coupon=None,
        _data=_data(parameters, mode),
        _lines=lines,
        **changes.given(parameters, _ECHOED),
        **_parts(parameters),
    )
    session["url"] = f"{account.public_url}/checkout/{session['id']}"
    for prepare in PREPARE:
        prepare(account, session, parameters)
    checkout.total(account, session)
    if mode == "payment" and session["amount_total"]:
        refuse_bad_amount(session["amount_total"], session["currency"])
    # A payer lives in real time whatever clock the customer is on.
    account.schedule(session["expires_at"], "expire_session", session)
    return account.add(session)


# What else a new session needs, such as its discounts; filled by the modules that own it.
PREPARE: list[Callable[[Account, Body, Parameters], None]] = []


def _mode(parameters: Parameters) -> str:
    if "mode" not in parameters:
        raise errors.missing_parameter("mode")
    mode = parameters["mode"]
    if parameters.get("ui_mode", "hosted_page") != "hosted_page":
        raise errors.unsupported("ui_mode")
    if mode not in checkout.PAY:
        raise errors.unsupported("mode")
    if "success_url" not in parameters:
        raise errors.missing_parameter("success_url")
    return mode


def _refuse_contradictions(parameters: Parameters, mode: str) -> None:
    for other, name in _DATA.items():
        if name in parameters and other != mode:
            raise errors.invalid(name, f"{name} is for sessions in {other} mode, not {mode} mode.")
    for first, second in (
        ("customer", "customer_email"),
        ("customer", "customer_creation"),
        ("allow_promotion_codes", "discounts"),
    ):
        if first in parameters and second in parameters:
            raise errors.invalid(second, f"You may only specify one of these parameters: {first}, {second}.")
    if "customer_update" in parameters and "customer" not in parameters:
        raise errors.invalid("customer_update", "customer_update needs a customer.")
    # The page always offers its own choice of methods and keeps no address, so these change nothing here.
    for name in ("customer_update", "allowed_payment_method_types", "excluded_payment_method_types"):
        value = parameters.get(name)
        if isinstance(value, Parameters):
            value.plain()


def _customer(account: Account, parameters: Parameters) -> str | None:
    identifier = parameters.get("customer")
    return account.get(identifier, "customer", "customer")["id"] if identifier else None


def _lines(account: Account, parameters: Parameters, mode: str) -> list[Body]:
    sent = parameters.get("line_items", [])
    if mode == "setup":
        return []
    if not sent:
        raise errors.missing_parameter("line_items")
    lines = baskets.lines_of(account, sent)
    recurring = [line for line in lines if line["price"]["type"] == "recurring"]
    if mode == "payment" and recurring:
        raise errors.invalid("mode", "A session in payment mode takes no recurring prices; use subscription mode.")
    if mode == "subscription" and not recurring:
        raise errors.invalid("mode", "A session in subscription mode needs at least one recurring price.")
    if mode == "subscription" and len(recurring) > MAX_SUBSCRIPTION_LINES:
        raise errors.invalid("line_items", f"At most {MAX_SUBSCRIPTION_LINES} recurring prices are allowed.")
    return lines


def _currency(parameters: Parameters, lines: list[Body]) -> str:
    sent = parameters.get("currency")
    if lines and sent not in (None, lines[0]["currency"]):
        raise errors.invalid("currency", "The prices of this session have another currency.")
    return lines[0]["currency"] if lines else sent or "usd"


def _expiry(parameters: Parameters, now: int) -> int:
    expires_at = parameters.get("expires_at", now + DEFAULT_LIFETIME_SECONDS)
    # A minute of grace, as the caller's clock and the way here are not exact.
    if not now + SHORTEST_LIFETIME_SECONDS - 60 <= expires_at <= now + DEFAULT_LIFETIME_SECONDS + 60:
        raise errors.invalid("expires_at", "expires_at must be between 30 minutes and 24 hours from now.")
    return expires_at


def _method_types(parameters: Parameters) -> list[str]:
    allowed = parameters.get("allowed_payment_method_types", ["card", "us_bank_account"])
    excluded = parameters.get("excluded_payment_method_types", [])
    offered = [kind for kind in ("card", "us_bank_account") if kind in allowed and kind not in excluded]
    if not offered:
        raise errors.invalid("allowed_payment_method_types", "The fake Stripe offers card and us_bank_account only.")
    return offered


def _data(parameters: Parameters, mode: str) -> Body:
    sent = parameters.group(_DATA[mode])
    supported = {
        "payment": ("description", "receipt_email", "setup_future_usage", "statement_descriptor_suffix"),
        "subscription": ("billing_cycle_anchor", "description", "proration_behavior", "trial_end", "trial_period_days"),
        "setup": ("description",),
    }
    data = changes.given(sent, supported[mode])
    data["metadata"] = changes.metadata(sent)
    if mode == "subscription":
        data["trial_settings"] = changes.given(sent, ("trial_settings",)).get("trial_settings")
        # Flexible billing is what the fake Stripe does; classic mode differs in credit prorations.
        if sent.group("billing_mode").get("type", "flexible") != "flexible":
            raise errors.unsupported(sent.path("billing_mode"))
    if mode == "payment" and sent.get("capture_method", "automatic_async") == "manual":
        raise errors.unsupported(sent.path("capture_method"))
    return data


def _parts(parameters: Parameters) -> Body:
    parts = {}
    for name, shape in _ECHOED_PARTS.items():
        sent: Body | None = changes.given(parameters, (name,)).get(name)
        if sent is not None:
            parts[name] = build(shape, **{"required": "never", **sent} if name == "tax_id_collection" else sent)
    if parts.get("automatic_tax", {}).get("enabled"):
        # The fake Stripe is registered for tax nowhere, so the calculation is complete and nothing is due.
        parts["automatic_tax"].update(status="complete", provider="stripe", liability={"type": "self"})
    if "invoice_creation" in parts:
        data = parts["invoice_creation"].get("invoice_data") or {}
        shape = stripe.checkout.Session.InvoiceCreation.InvoiceData
        parts["invoice_creation"]["invoice_data"] = build(shape, **{"metadata": {}, **data})
    return parts


@operation("checkout.sessions.update")
def update(account: Account, request: Request) -> Body:
    """Metadata only."""
    session = account.get(request.ids[0], SESSION.kind)
    return account.change(session, None, metadata=changes.metadata(request.parameters, session["metadata"]))


@operation("checkout.sessions.expire")
def expire(account: Account, request: Request) -> Body:
    """Close an open session."""
    session = account.get(request.ids[0], SESSION.kind)
    if session["status"] != "open":
        raise errors.StripeError(f"Only open Checkout Sessions can be expired; this one is {session['status']}.")
    checkout.expire(account, session["id"])
    return account.get(session["id"], SESSION.kind)


@operation("checkout.sessions.line_items.list")
def line_items(account: Account, request: Request) -> Body:
    """The lines, in the order in which they were given."""
    return slice_page(request, account.get(request.ids[0], SESSION.kind)["_lines"])


@includable(SESSION.kind, "line_items")
def included_lines(account: Account, session: Body) -> Body:
    """The first lines, inside the session."""
    lines = account.get(session["id"], SESSION.kind)["_lines"]
    return envelope(f"/v1/checkout/sessions/{session['id']}/line_items", lines)


def _by_email(body: Body, wanted: Parameters) -> bool:
    return (body["customer_details"] or {}).get("email") == wanted["email"]


retrieve("checkout.sessions.retrieve", SESSION)
listing("checkout.sessions.list", Listing(SESSION, tests={"customer_details": _by_email}))
