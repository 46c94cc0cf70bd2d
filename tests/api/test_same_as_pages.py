"""A program with an API key can do all that a page can: what a page asks of its desk has a route, or a reason.

A new method of a desk fails here until it has one or the other.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import pytest
from fastapi.routing import APIRoute

from billing_app.api.app import ROUTERS
from billing_app.ui.desk import Desk, Desks
from billing_app.ui.desks.operator import OperatorDesk, OperatorDesks
from billing_app.ui.desks.organization import OrganizationChanges

ORG = "/organizations/{address}"
HOOKS = f"{ORG}/notifications/webhooks"
PLAN = f"{ORG}/subscription"

FRAME = "The frame around a page: who is signed in and which pages they may open. A key belongs to one organization."
BROWSER = "About the browser that asks, not about what is stored."
OPENING = "Opens a desk: what can be done then is in the other rows."

READS: dict[str, str | tuple[str, ...]] = {
    "alerts": (f"GET {ORG}/notifications", f"GET {ORG}/notifications/deliveries"),
    "buy": (f"GET {ORG}/forecast", "GET /packs"),
    "credits": (f"GET {ORG}/grants", f"GET {ORG}/balances", f"GET {ORG}/forecast"),
    "explain": (f"GET {ORG}/explain",),
    "ledger": (f"GET {ORG}/ledger",),
    "options": (f"GET {ORG}/features",),
    "organization_page": (
        f"GET {ORG}", f"GET {ORG}/members", f"GET {ORG}/suborganizations", f"GET {ORG}/api-keys", f"GET {ORG}/audit",
    ),
    "overview": (f"GET {ORG}/balances", f"GET {ORG}/history", f"GET {ORG}/usage/days", f"GET {ORG}/forecast"),
    "plan": (f"GET {PLAN}", "GET /plans"),
    "process": (f"GET {ORG}/processes/{{process_id}}",),
    "processes": (f"GET {ORG}/processes",),
    "renewals": (f"GET {ORG}/recurring-packs", f"GET {ORG}/auto-top-up/{{metric}}"),
    "shell": FRAME,
    "tokens": (f"GET {ORG}/tokens",),
    "trace": (f"GET {ORG}/ledger/{{number}}",),
    "usage": (f"GET {ORG}/history", f"GET {ORG}/usage/days", f"GET {ORG}/forecast"),
}  # fmt: skip

DOES: dict[str, str | tuple[str, ...]] = {
    "add_webhook": (f"POST {HOOKS}",),
    "change_organization": OPENING,
    "change_plan": (f"PATCH {PLAN}",),
    "change_renewing": (f"PATCH {ORG}/recurring-packs/{{pack_id}}", f"DELETE {ORG}/recurring-packs/{{pack_id}}"),
    "checkout": (f"GET {ORG}/checkout/{{session_id}}",),
    "choose_alert": (f"PUT {ORG}/notifications",),
    "choose_person": (f"PUT {ORG}/notifications",),
    "convert": (f"POST {ORG}/tokens/convert",),
    "delete_webhook": (f"DELETE {HOOKS}/{{webhook_id}}",),
    "discard_process": (f"DELETE {ORG}/processes/{{process_id}}",),
    "do_to_plan": (f"DELETE {PLAN}", f"POST {PLAN}/keep", f"POST {PLAN}/pause", f"POST {PLAN}/resume"),
    "end_organization": (f"POST {ORG}/ending",),
    "keep_organization": (f"DELETE {ORG}/ending",),
    "enable_webhook": (f"POST {HOOKS}/{{webhook_id}}/enable",),
    "end_process": (f"POST {ORG}/processes/{{process_id}}/close", f"POST {ORG}/processes/{{process_id}}/cancel"),
    "found": ("POST /organizations",),
    "found_organization": ("POST /organizations",),
    "founder": FRAME,
    "home": FRAME,
    "invoices": (f"GET {ORG}/invoices",),
    "is_operator": FRAME,
    "keep_card": "Where Stripe's page sends the browser back to; the webhook and the sweep keep the card without it.",
    "look": BROWSER,
    "mail_invitation": (f"POST {ORG}/members",),
    "open": OPENING,
    "portal": (f"POST {ORG}/portal",),
    "preview_plan": (f"POST {PLAN}/preview",),
    "propose_address": "Fills a form's field while somebody types; POST /organizations makes an address by itself.",
    "publish_process": (f"POST {ORG}/processes", f"POST {ORG}/processes/{{process_id}}/publish"),
    "redeem": (f"POST {ORG}/gift-cards/redeem",),
    "resend": (f"POST {ORG}/notifications/deliveries/{{delivery_id}}/resend",),
    "revisions": "How open pages hear that they are out of date; programs are told by webhook.",
    "rotate_webhook": (f"POST {HOOKS}/{{webhook_id}}/rotate-secret",),
    "save_card": (f"POST {ORG}/saved-card",),
    "save_process": (f"POST {ORG}/processes", f"PATCH {ORG}/processes/{{process_id}}"),
    "sends_mail": BROWSER,
    "set_top_up": (f"PUT {ORG}/auto-top-up/{{metric}}", f"POST {ORG}/auto-top-up/{{metric}}/preview"),
    "sign_up_open": BROWSER,
    "start_checkout": (f"POST {ORG}/checkout",),
    "start_plan": (f"POST {ORG}/checkout",),
    "stop_top_up": (f"PUT {ORG}/auto-top-up/{{metric}}",),
    "switch_option": (f"PUT {ORG}/features",),
    "test_webhook": (f"POST {HOOKS}/{{webhook_id}}/test",),
}

CHANGES: dict[str, str | tuple[str, ...]] = {
    "change_role": (f"PATCH {ORG}/members/{{member}}",),
    "create_key": (f"POST {ORG}/api-keys",),
    "create_part": (f"POST {ORG}/suborganizations",),
    "invite": (f"POST {ORG}/members",),
    "leave": (f"DELETE {ORG}/members/me",),
    "remove": (f"DELETE {ORG}/members/{{member}}",),
    "revoke_key": (f"DELETE {ORG}/api-keys/{{key_id}}",),
    "save_profile": (f"PATCH {ORG}",),
    "set_active": (
        f"PATCH {ORG}/suborganizations/{{suborganization}}", f"DELETE {ORG}/suborganizations/{{suborganization}}",
    ),
}  # fmt: skip

THERE = "/admin/organizations/{organization}"

OPERATES: dict[str, str | tuple[str, ...]] = {
    "ask_for_reconciliation": ("POST /admin/reconciliation",),
    "audit": ("GET /admin/audit",),
    "catalogue": ("GET /admin/catalogue",),
    "catalogue_file": ("GET /admin/catalogue/file",),
    "catalogue_version": ("GET /admin/catalogue/versions/{version}",),
    "catalogue_versions": ("GET /admin/catalogue/versions",),
    "check_catalogue": ("POST /admin/catalogue/validate", "POST /admin/catalogue/preview"),
    "create_gift_cards": ("POST /admin/gift-cards",),
    "customer": (f"GET {ORG}", f"GET {ORG}/balances", f"GET {ORG}/grants", "GET /admin/grants/{grant}/refund"),
    "end_override": (f"DELETE {THERE}/overrides/{{kind}}/{{name}}",),
    "gift_cards": ("GET /admin/gift-cards",),
    "give": ("POST /admin/grants",),
    "hands": (f"GET {THERE}/overrides", "GET /plans"),
    "organizations": ("GET /admin/organizations",),
    "override": (f"PUT {THERE}/overrides/{{kind}}/{{name}}",),
    "preview_catalogue": ("POST /admin/catalogue/preview",),
    "rebase_catalogue": ("POST /admin/catalogue/rebase",),
    "reconciliation": ("GET /admin/reconciliation", "GET /admin/reconciliation/{run}"),
    "recounts": ("GET /admin/recounts",),
    "redemptions": ("GET /admin/gift-cards/{card}/redemptions",),
    "save_catalogue": ("PUT /admin/catalogue",),
    "set_plan": (f"PUT {THERE}/plan",),
    "shell": FRAME,
    "stripe_event": ("GET /admin/stripe-events/{event_id}",),
    "stripe_events": ("GET /admin/stripe-events",),
    "void_gift_card": ("POST /admin/gift-cards/{card}/void",),
    "void_grant": ("POST /admin/grants/{grant}/void",),
}

OPERATES_OUTSIDE: dict[str, str | tuple[str, ...]] = {
    "open_operator": OPENING,
    "push_prices": ("POST /admin/catalogue/push",),
    "recount": ("POST /admin/recounts",),
    "refund": ("POST /admin/grants/{grant}/refund",),
    "replay_event": ("POST /admin/stripe-events/{event_id}/replay",),
}

TABLES: dict[type, Mapping[str, str | tuple[str, ...]]] = {
    Desk: READS,
    Desks: DOES | OPERATES_OUTSIDE,
    OrganizationChanges: CHANGES,
    OperatorDesk: OPERATES,
    OperatorDesks: OPERATES_OUTSIDE,
}


@pytest.mark.parametrize("desk", TABLES, ids=lambda desk: desk.__name__)
def test_whatever_a_page_can_do_has_a_route_or_a_reason(desk: type) -> None:
    methods = {
        name
        for each in desk.__mro__
        if each.__module__.startswith("billing_app.")
        for name, found in vars(each).items()
        if inspect.isfunction(found) and not name.startswith("_")
    }
    table: Mapping[str, object] = TABLES[desk]
    assert methods - table.keys() == set(), "add a route, or say why a program needs none"
    assert table.keys() - methods == set(), "rows of what pages do not do any more"


def test_the_routes_are_there() -> None:
    found = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    routes = {f"{method} {route.path}" for route in found for method in route.methods or ()}
    named = {route for table in TABLES.values() for row in table.values() if isinstance(row, tuple) for route in row}
    assert named - routes == set()


def test_a_reason_is_a_sentence() -> None:
    reasons = {row for table in TABLES.values() for row in table.values() if isinstance(row, str)}
    assert all(reason.endswith(".") and len(reason) > 40 for reason in reasons)
