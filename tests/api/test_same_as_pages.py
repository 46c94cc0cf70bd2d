"""A program with an API key can do all that a page can: each service that a page calls has a route, or a reason.

A call of another service on a page fails here until it has one or the other.
"""

from __future__ import annotations

import ast
from pathlib import Path

from fastapi.routing import APIRoute

from billing_app.api.app import ROUTERS
from billing_app.locations import ROOT

UI = ROOT / "billing_app" / "ui"
SERVICES = "billing_app.services."

ORG = "/organizations/{address}"
HOOKS = f"{ORG}/notifications/webhooks"
PLAN = f"{ORG}/subscription"
THERE = "/admin/organizations/{organization}"

FRAME = "The frame around a page: who is signed in and which pages they may open. A key belongs to one organization."
BROWSER = "About the browser that asks, not about what is stored."
WORDS = "Makes of a value what the page says of it; programs have the value."
HEARD = "How open pages hear that they are out of date; programs are told by webhook."
TYPING = "Fills a form's field while somebody types; POST /organizations makes an address by itself."
BACK = "Where Stripe's page sends the browser back to; the webhook and the sweep keep the card without it."
FOUND = "Finds what another row is about, in the same transaction."

ROWS: dict[str, str | tuple[str, ...]] = {
    "access.api_keys.create": (f"POST {ORG}/api-keys",),
    "access.api_keys.revoke": (f"DELETE {ORG}/api-keys/{{key_id}}",),
    "access.cookies.session_hash_in": FRAME,
    "access.members.mail": (f"POST {ORG}/members",),
    "access.members.change_role": (f"PATCH {ORG}/members/{{member}}",),
    "access.members.invite": (f"POST {ORG}/members",),
    "access.members.remove": (
        f"DELETE {ORG}/members/{{member}}",
        f"DELETE {ORG}/members/me",
    ),
    "access.one_time_links.kind_in": BROWSER,
    "access.one_time_links.look": BROWSER,
    "access.sessions.authorize": FRAME,
    "access.sessions.authorize_operator": FRAME,
    "access.sessions.identify_socket": FRAME,
    "access.sessions.note_use": FRAME,
    "access.sessions.require_signed_in": FRAME,
    "access.sessions.standing": FRAME,
    "access.sessions.still_open": FRAME,
    "common.organizations.revisions_by_address": HEARD,
    "common.places.countries": WORDS,
    "common.places.zone": WORDS,
    "common.places.zones": WORDS,
    "credits.explaining.explain": (f"GET {ORG}/explain",),
    "credits.gift_cards.create": ("POST /admin/gift-cards",),
    "credits.gift_cards.listed": ("GET /admin/gift-cards",),
    "credits.gift_cards.redeem_counted": (f"POST {ORG}/gift-cards/redeem",),
    "credits.gift_cards.redemptions": ("GET /admin/gift-cards/{card}/redemptions",),
    "credits.gift_cards.void": ("POST /admin/gift-cards/{card}/void",),
    "credits.granting.void": ("POST /admin/grants/{grant}/void",),
    "credits.read.credits": (
        f"GET {ORG}/grants",
        f"GET {ORG}/balances",
        f"GET {ORG}/forecast",
    ),
    "credits.read_ledger.ledger": (f"GET {ORG}/ledger",),
    "credits.read_ledger.trace": (f"GET {ORG}/ledger/{{number}}",),
    "credits.tokens.brought": (f"POST {ORG}/tokens/convert",),
    "credits.tokens.convert": (f"POST {ORG}/tokens/convert",),
    "credits.tokens.look": (f"GET {ORG}/tokens",),
    "limits.features.switch": (f"PUT {ORG}/features",),
    "notifications.choices.add_person": (f"PUT {ORG}/notifications",),
    "notifications.choices.choose": (f"PUT {ORG}/notifications",),
    "notifications.choices.remove_person": (f"PUT {ORG}/notifications",),
    "notifications.delivery_log.resend": (f"POST {ORG}/notifications/deliveries/{{delivery_id}}/resend",),
    "notifications.delivery_log.test": (f"POST {HOOKS}/{{webhook_id}}/test",),
    "notifications.read.alerts": (
        f"GET {ORG}/notifications",
        f"GET {ORG}/notifications/deliveries",
    ),
    "notifications.webhook_endpoints.create": (f"POST {HOOKS}",),
    "notifications.webhook_endpoints.delete": (f"DELETE {HOOKS}/{{webhook_id}}",),
    "notifications.webhook_endpoints.enable": (f"POST {HOOKS}/{{webhook_id}}/enable",),
    "notifications.webhook_endpoints.reachable": (f"POST {HOOKS}",),
    "notifications.webhook_endpoints.rotate": (f"POST {HOOKS}/{{webhook_id}}/rotate-secret",),
    "operators.catalogue_editor.catalogue": ("GET /admin/catalogue",),
    "operators.catalogue_editor.check": (
        "POST /admin/catalogue/validate",
        "POST /admin/catalogue/preview",
    ),
    "operators.catalogue_editor.document": ("GET /admin/catalogue",),
    "operators.catalogue_editor.from_file": ("GET /admin/catalogue/file",),
    "operators.catalogue_edits.of_number": ("GET /admin/catalogue/versions/{version}",),
    "operators.catalogue_edits.rebased": ("POST /admin/catalogue/rebase",),
    "operators.catalogue_edits.save": ("PUT /admin/catalogue",),
    "operators.catalogue_edits.versions": ("GET /admin/catalogue/versions",),
    "operators.catalogue_effects.preview": ("POST /admin/catalogue/preview",),
    "operators.manual_changes.end_override": (f"DELETE {THERE}/overrides/{{kind}}/{{name}}",),
    "operators.manual_changes.give": ("POST /admin/grants",),
    "operators.manual_changes.look": (
        f"GET {THERE}/overrides",
        "GET /plans",
    ),
    "operators.manual_changes.override": (f"PUT {THERE}/overrides/{{kind}}/{{name}}",),
    "operators.manual_changes.set_plan": (f"PUT {THERE}/plan",),
    "operators.operations.event": ("GET /admin/stripe-events/{event_id}",),
    "operators.operations.events": ("GET /admin/stripe-events",),
    "operators.operations.reconciliations": (
        "GET /admin/reconciliation",
        "GET /admin/reconciliation/{run}",
    ),
    "operators.operations.recount_runs": ("GET /admin/recounts",),
    "operators.organizations.organizations": ("GET /admin/organizations",),
    "operators.read_customer.customer": (
        f"GET {ORG}",
        f"GET {ORG}/balances",
        f"GET {ORG}/grants",
        "GET /admin/grants/{grant}/refund",
    ),
    "organizations.children.create_below": (f"POST {ORG}/suborganizations",),
    "organizations.children.find": FOUND,
    "organizations.children.set_active": (
        f"PATCH {ORG}/suborganizations/{{suborganization}}",
        f"DELETE {ORG}/suborganizations/{{suborganization}}",
    ),
    "organizations.create.found_typed": ("POST /organizations",),
    "organizations.create.proposed": TYPING,
    "organizations.create.why_not": FRAME,
    "organizations.profiles.change": (f"PATCH {ORG}",),
    "organizations.profiles.keep": (f"DELETE {ORG}/ending",),
    "organizations.read.audit_of": ("GET /admin/audit",),
    "organizations.read.page": (
        f"GET {ORG}",
        f"GET {ORG}/members",
        f"GET {ORG}/suborganizations",
        f"GET {ORG}/api-keys",
        f"GET {ORG}/audit",
    ),
    "overview.frame.home": FRAME,
    "overview.frame.operator_frame": FRAME,
    "overview.frame.organization_frame": FRAME,
    "overview.overview.overview": (
        f"GET {ORG}/balances",
        f"GET {ORG}/history",
        f"GET {ORG}/usage/days",
        f"GET {ORG}/forecast",
    ),
    "overview.read_usage.usage": (
        f"GET {ORG}/history",
        f"GET {ORG}/usage/days",
        f"GET {ORG}/forecast",
    ),
    "payments.stripe_names.push": ("POST /admin/catalogue/push",),
    "plans.changes.DEEDS": (
        f"DELETE {PLAN}",
        f"POST {PLAN}/keep",
        f"POST {PLAN}/pause",
        f"POST {PLAN}/resume",
    ),
    "plans.changes.change": (f"PATCH {PLAN}",),
    "plans.changes.invoices": (f"GET {ORG}/invoices",),
    "plans.changes.preview": (f"POST {PLAN}/preview",),
    "plans.changes.portal": (f"POST {ORG}/portal",),
    "plans.stripe_endings.decided": (
        f"POST {ORG}/ending",
        f"DELETE {ORG}/ending",
    ),
    "plans.orders.start": (f"POST {ORG}/checkout",),
    "plans.read.invoice_link": (f"GET {ORG}/invoices",),
    "plans.read.plan_view": (
        f"GET {PLAN}",
        "GET /plans",
    ),
    "processes.processes.discard": (f"DELETE {ORG}/processes/{{process_id}}",),
    "processes.processes.end": (
        f"POST {ORG}/processes/{{process_id}}/close",
        f"POST {ORG}/processes/{{process_id}}/cancel",
    ),
    "processes.processes.keep": (
        f"POST {ORG}/processes",
        f"PATCH {ORG}/processes/{{process_id}}",
    ),
    "processes.processes.publish_kept": (
        f"POST {ORG}/processes",
        f"POST {ORG}/processes/{{process_id}}/publish",
    ),
    "processes.read.listed": (f"GET {ORG}/processes",),
    "processes.read.options_view": (f"GET {ORG}/features",),
    "processes.read.process": (f"GET {ORG}/processes/{{process_id}}",),
    "purchases.buying.buy": (
        f"GET {ORG}/forecast",
        "GET /packs",
    ),
    "purchases.buying.returned": (f"GET {ORG}/checkout/{{session_id}}",),
    "purchases.endings.decide": (f"POST {ORG}/ending",),
    "purchases.orders.start_checkout": (f"POST {ORG}/checkout",),
    "purchases.read_recurring.renewals": (
        f"GET {ORG}/recurring-packs",
        f"GET {ORG}/auto-top-up/{{metric}}",
    ),
    "purchases.recurring_changes.change": (
        f"PATCH {ORG}/recurring-packs/{{pack_id}}",
        f"DELETE {ORG}/recurring-packs/{{pack_id}}",
    ),
    "purchases.saved_cards.begin": (f"POST {ORG}/saved-card",),
    "purchases.saved_cards.finish": BACK,
    "purchases.top_ups.put_typed": (
        f"PUT {ORG}/auto-top-up/{{metric}}",
        f"POST {ORG}/auto-top-up/{{metric}}/preview",
    ),
    "purchases.top_ups.turn_off": (f"PUT {ORG}/auto-top-up/{{metric}}",),
    "reversals.refunds.make": ("POST /admin/grants/{grant}/refund",),
    "stripe.reconciliation.ask": ("POST /admin/reconciliation",),
    "stripe.inbox.replay": ("POST /admin/stripe-events/{event_id}/replay",),
    "usage.recounts.demand": ("POST /admin/recounts",),
}
"""What a page calls: the routes that do the same, or why a program needs none."""


def called(folder: Path) -> dict[str, str]:
    """Everything of a service's module that a page names, and one file that does."""
    found: dict[str, str] = {}
    for file in sorted(folder.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        modules = {
            alias.asname or alias.name: f"{node.module}.{alias.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(SERVICES)
            for alias in node.names
            if (ROOT / f"{node.module}.{alias.name}".replace(".", "/")).with_suffix(".py").exists()
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                name = f"{modules[node.value.id]}.{node.attr}".removeprefix(SERVICES)
                found[name] = str(file.relative_to(folder))
    return found


def test_whatever_a_page_can_do_has_a_route_or_a_reason() -> None:
    found = called(UI)
    assert {name: file for name, file in found.items() if name not in ROWS} == {}, (
        "add a route, or say why a program needs none"
    )
    assert ROWS.keys() - found.keys() == set(), "rows of what pages do not do any more"


def test_functions_are_called_through_their_module() -> None:
    """What is imported by its own name would be seen by nobody above; records and their kinds are."""
    hidden = []
    for file in sorted(UI.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(SERVICES):
                hidden += [
                    f"{file.relative_to(UI)}: {alias.name}"
                    for alias in node.names
                    if alias.name.islower()
                    and not (ROOT / f"{node.module}.{alias.name}".replace(".", "/")).with_suffix(".py").exists()
                ]
    assert hidden == []


def test_the_routes_are_there() -> None:
    found = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    routes = {f"{method} {route.path}" for route in found for method in route.methods or ()}
    named = {route for row in ROWS.values() if isinstance(row, tuple) for route in row}
    assert named - routes == set()


def test_a_reason_is_a_sentence() -> None:
    reasons = {row for row in ROWS.values() if isinstance(row, str)}
    assert all(reason.endswith(".") and len(reason) > 40 for reason in reasons)
