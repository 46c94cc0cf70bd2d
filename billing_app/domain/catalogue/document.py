"""A catalogue as a JSON document again: what is stored, compared, exported to plans.json and told to programs."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from billing_app.domain.catalogue.model import ActionRule, Catalog, Feature, Metric, Pack, Plan, TokenRate, VotingType


def to_document(catalog: Catalog) -> dict[str, Any]:
    """The document of `catalog`, all but `retired: false` written out. parse_catalog gives it back the same."""
    return {
        "currency": catalog.currency,
        "grace_days": catalog.grace_days,
        "features": [_feature(feature) for feature in catalog.features],
        "metrics": [metric_document(metric) for metric in catalog.metrics],
        "plans": [plan_document(plan, catalog) for plan in catalog.plans],
        "packs": [pack_document(pack) for pack in catalog.packs],
        "actions": [_action(action) for action in catalog.actions],
        "token_rates": [_token_rate(rate) for rate in catalog.token_rates],
    }


def to_json(catalog: Catalog) -> str:
    """The document as text, indented for people: what `plans.json` looks like when it is exported."""
    return json.dumps(to_document(catalog), indent=2, ensure_ascii=False) + "\n"


def digest(catalog: Catalog) -> str:
    """Names a catalogue by what it says (SHA-256, hex): spaces and the order of keys in the file do not matter."""
    canonical = json.dumps(to_document(catalog), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def plan_document(plan: Plan, catalog: Catalog) -> dict[str, Any]:
    """One plan in the source's shape (camel case where the source has it), with ours beside it."""
    limits = plan.limits
    return {
        "plan": plan.id,
        "name": plan.name,
        "description": plan.description,
        "stripePlanId": plan.stripe_plan_id,
        "prices": {"month": plan.prices.month_cents, "year": plan.prices.year_cents},
        "trial_days": plan.trial_days,
        "default": plan.default,
        "public": plan.public,
        "organization": {
            "memberships": limits.memberships,
            "subOrgs": limits.sub_orgs,
            "maxProcesses": limits.max_processes,
            "max_census_size": limits.max_census_size,
            "customURL": limits.custom_url,
            "drafts": limits.drafts,
        },
        "votingTypes": {voting_type.value: voting_type in plan.voting_types for voting_type in VotingType},
        "features": {feature.id: feature.id in plan.features for feature in catalog.features},
        "included": dict(plan.included),
        **_retired(plan.retired),
    }


def metric_document(metric: Metric) -> dict[str, Any]:
    """One metric, with every key."""
    return {
        "id": metric.id,
        "name": metric.name,
        "caption": metric.caption,
        "aggregation": metric.aggregation.value,
        "unit": metric.unit,
        "display_unit": metric.display_unit,
        "factor": metric.factor,
        "price_per": metric.price_per,
        "hue": metric.hue.value,
        "icon": metric.icon,
        "deficit": metric.deficit.value,
        "refund_shortfall": metric.refund_shortfall.value,
    }


def pack_document(pack: Pack) -> dict[str, Any]:
    """One pack, with every key."""
    return {
        "id": pack.id,
        "metric": pack.metric,
        "quantity": pack.quantity,
        "price_cents": pack.price_cents,
        "interval": pack.interval.value,
        "public": pack.public,
        **_retired(pack.retired),
    }


def _feature(feature: Feature) -> dict[str, Any]:
    return {"id": feature.id, "name": feature.name, "description": feature.description}


def _action(action: ActionRule) -> dict[str, Any]:
    return {"id": action.id, "name": action.name, "metrics": list(action.metrics)}


def _token_rate(rate: TokenRate) -> dict[str, Any]:
    return {"metric": rate.metric, "tokens": rate.tokens, "quantity": rate.quantity}


def _retired(retired: bool) -> dict[str, bool]:
    """Only what is retired says so, so that a fresh file need not mention it."""
    return {"retired": True} if retired else {}
