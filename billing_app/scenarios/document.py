"""Reads a scenario file: its catalogue, its organization and its steps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from billing_app.domain.catalog import (
    ActionRule,
    Catalog,
    Hue,
    Metric,
    Plan,
    PlanLimits,
    PlanPrices,
)
from billing_app.domain.catalog.model import DEFAULT_GRACE_DAYS
from billing_app.domain.credits import Aggregation, DeficitPolicy, RefundPolicy
from billing_app.domain.errors import InvalidError


@dataclass(frozen=True, slots=True)
class Scenario:
    """A parsed scenario. `steps` are in recorded order; each has a `moment` besides its own fields."""

    name: str
    catalog: Catalog
    plan: str
    anchor: datetime
    steps: tuple[Mapping[str, Any], ...]


def read(path: Path) -> Scenario:
    """The scenario of a file. Raises InvalidError `invalid_scenario` naming the file and what is wrong."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidError(f"{path}: can't be read: {error.strerror}", code="invalid_scenario") from None
    except ValueError as error:
        raise InvalidError(f"{path}: is no JSON: {error}", code="invalid_scenario") from None
    try:
        return parse(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidError(f"{path}: is no scenario: {type(error).__name__} {error}", code="invalid_scenario") from None


def parse(document: Mapping[str, Any]) -> Scenario:
    """The scenario of a JSON document."""
    organization = document["organization"]
    return Scenario(
        name=document["name"],
        catalog=_catalog(document, organization["plan"]),
        plan=organization["plan"],
        anchor=moment(organization["anchor"]),
        steps=tuple({**step, "moment": moment(step["at"])} for step in document["steps"]),
    )


def moment(text: str) -> datetime:
    """An RFC 3339 moment, aware and in UTC."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return parsed.astimezone(UTC)


def optional_moment(step: Mapping[str, Any], field: str) -> datetime | None:
    """The moment in `field`, None where it is absent or null."""
    text = step.get(field)
    return None if text is None else moment(text)


def _catalog(document: Mapping[str, Any], default_plan: str) -> Catalog:
    """The catalogue that a scenario speaks of: what it leaves out is none of its business."""
    return Catalog(
        currency="usd",
        grace_days=DEFAULT_GRACE_DAYS,
        features=(),
        metrics=tuple(_metric(each) for each in document["metrics"]),
        plans=tuple(_plan(name, plan, name == default_plan) for name, plan in document["plans"].items()),
        packs=(),
        actions=tuple(ActionRule(name, name, tuple(needs)) for name, needs in document.get("actions", {}).items()),
        token_rates=(),
    )


def _metric(each: Mapping[str, Any]) -> Metric:
    return Metric(
        id=each["id"],
        name=each["id"],
        caption="units",
        aggregation=Aggregation(each["aggregation"]),
        unit="units",
        display_unit="units",
        factor=1,
        price_per=1,
        hue=Hue.BLUE,
        icon="users",
        deficit=DeficitPolicy(each.get("deficit", "forgive")),
        refund_shortfall=RefundPolicy(each.get("refund_shortfall", "debt")),
    )


def _plan(name: str, plan: Mapping[str, Any], default: bool) -> Plan:
    return Plan(
        id=name,
        name=name,
        description="of a scenario",
        stripe_plan_id=None,
        prices=PlanPrices(0, 0),
        trial_days=0,
        default=default,
        public=True,
        limits=PlanLimits(None, None, None, None, custom_url=False, drafts=None),
        voting_types=frozenset(),
        features=frozenset(),
        included=dict(plan["included"]),
    )
