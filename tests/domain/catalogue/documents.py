"""A small catalogue to change in tests: two metrics, two plans, three packs."""

from __future__ import annotations

from typing import Any

from billing_app.domain.catalogue import Catalog, parse_catalog

VOTING_TYPES = ("single", "multiple", "approval", "cumulative", "ranked", "weighted")


def small_document() -> dict[str, Any]:
    """A sound document; each call gives a new one."""
    return {
        "currency": "usd",
        "grace_days": 7,
        "features": [{"id": "whiteLabel", "name": "White label", "description": "Your name only."}],
        "metrics": [
            metric("mau", name="MAU", aggregation="unique", price_per=1000),
            metric("storage", name="Storage", unit="bytes", display_unit="GB", factor=10**9, hue="jade"),
        ],
        "plans": [
            plan("free", default=True, included={"mau": 100}),
            plan("pro", prices={"month": 4900, "year": 49000}, included={"mau": 1000, "storage": None}),
        ],
        "packs": [
            pack("mau-1k"),
            pack("mau-10k", quantity=10_000, price_cents=1400),
            pack("mau-10k-monthly", quantity=10_000, price_cents=1200, interval="month"),
        ],
        "actions": [{"id": "upload", "name": "Uploads", "metrics": ["storage"]}],
        "token_rates": [{"metric": "mau", "tokens": 1, "quantity": 100}],
    }


def small_catalog(**changed: Any) -> Catalog:
    """The catalogue of `small_document` with these keys replaced."""
    return parse_catalog({**small_document(), **changed}, "plans.json")


def metric(metric_id: str, **changed: Any) -> dict[str, Any]:
    """A sound metric that counts calls."""
    return {
        "id": metric_id,
        "name": metric_id,
        "caption": "made",
        "aggregation": "sum",
        "unit": "calls",
        "display_unit": "calls",
        "factor": 1,
        "price_per": 1,
        "hue": "blue",
        "icon": "users",
        "deficit": "forgive",
        "refund_shortfall": "debt",
    } | changed


def plan(plan_id: str, **changed: Any) -> dict[str, Any]:
    """A sound plan that costs nothing."""
    return {
        "plan": plan_id,
        "name": plan_id.title(),
        "description": "For tests.",
        "stripePlanId": None,
        "prices": {"month": 0, "year": 0},
        "trial_days": 0,
        "default": False,
        "public": True,
        "organization": {
            "memberships": 5,
            "subOrgs": 0,
            "maxProcesses": None,
            "max_census_size": 100,
            "customURL": False,
            "drafts": 1,
        },
        "votingTypes": dict.fromkeys(VOTING_TYPES, False) | {"single": True},
        "features": {"whiteLabel": False},
        "included": {"mau": 0, "storage": 0},
    } | changed


def pack(pack_id: str, **changed: Any) -> dict[str, Any]:
    """A sound one-time pack of 1 000 MAU."""
    return {
        "id": pack_id,
        "metric": "mau",
        "quantity": 1000,
        "price_cents": 400,
        "interval": "once",
        "public": True,
    } | changed
