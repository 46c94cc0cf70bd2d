"""Reads a scenario file: its catalogue, its organization and its steps, with every mistake at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from billing_app.domain.catalogue import (
    ActionRule,
    Catalog,
    CatalogInvalidError,
    Hue,
    Metric,
    Mistake,
    Plan,
    PlanLimits,
    PlanPrices,
    decode_document,
    parse_catalog,
    to_document,
)
from billing_app.domain.catalogue.fields import MISSING, Fields, Reading, shown
from billing_app.domain.catalogue.model import DEFAULT_GRACE_DAYS
from billing_app.domain.common.errors import InvalidError
from billing_app.domain.credits.facts import Aggregation, DeficitPolicy, RefundPolicy
from billing_app.scenarios.steps import REMARKS, read_moment, read_steps


class ScenarioInvalidError(InvalidError):
    """The file is not a scenario (422). `mistakes` has a line for each, naming file, step and field."""

    code = "invalid_scenario"

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(str(mistake) for mistake in mistakes)
        super().__init__("; ".join(self.mistakes))


@dataclass(frozen=True, slots=True)
class Scenario:
    """A parsed scenario. `steps` are in recorded order; each has a `moment` besides its own fields."""

    name: str
    catalog: Catalog
    plan: str
    anchor: datetime
    steps: tuple[Mapping[str, Any], ...]


def read(path: Path) -> Scenario:
    """The scenario of a file. Raises ScenarioInvalidError."""
    try:
        document = decode_document(path.read_bytes(), str(path))
    except OSError as error:
        raise ScenarioInvalidError([Mistake(str(path), "", f"can't be read: {error.strerror}")]) from None
    except CatalogInvalidError as error:
        raise ScenarioInvalidError(error.mistakes) from None
    return parse(document, str(path))


def parse(document: Any, file: str = "scenario") -> Scenario:
    """The scenario of a JSON document; `file` is the name that mistakes are reported under.

    Raises ScenarioInvalidError.
    """
    reading = Reading(file)
    root = Fields(
        reading, document, "",
        required=("name", "metrics", "plans", "organization", "steps"), optional=("actions", *REMARKS), noun="field",
    )  # fmt: skip
    organization = Fields(
        reading, root.value("organization"), "organization", required=("plan", "anchor"), optional=REMARKS, noun="field"
    )
    plan = organization.identifier("plan")
    anchor = read_moment(organization, "anchor")
    if anchor is None and organization.value("anchor") is None:
        organization.wrong("anchor", "must be a moment, not null")
    scenario = Scenario(
        name=_name(root),
        catalog=_catalog(root, plan),
        plan=plan,
        anchor=anchor or datetime.max.replace(tzinfo=UTC),
        steps=read_steps(reading, root.value("steps")),
    )
    if plan and plan not in {each.id for each in scenario.catalog.plans}:
        organization.wrong("plan", f"there is no plan {shown(plan)} in `plans`")
    if reading.mistakes:
        raise ScenarioInvalidError(reading.mistakes)
    try:
        parse_catalog(to_document(scenario.catalog), file)
    except CatalogInvalidError as error:
        raise ScenarioInvalidError(error.mistakes) from None
    return scenario


def _name(root: Fields) -> str:
    """Any text: it is only shown."""
    name = root.value("name")
    if isinstance(name, str):
        return name
    if name is not MISSING:
        root.wrong("name", f"must be a text, not {shown(name)}")
    return ""


def _catalog(root: Fields, default_plan: str) -> Catalog:
    """The catalogue that a scenario speaks of: what it leaves out is none of its business."""
    given = root.reading.rows(root.value("metrics"), "metrics", at_least=1, at_most=1_000)
    metrics = tuple(_metric(root.reading, each, path) for path, each in given)
    known = {metric.id for metric in metrics}
    return Catalog(
        currency="usd",
        grace_days=DEFAULT_GRACE_DAYS,
        features=(),
        metrics=metrics,
        plans=tuple(
            _plan(root.reading, name, plan, known, name == default_plan) for name, plan in _entries(root, "plans")
        ),
        packs=(),
        actions=tuple(_action(root.reading, name, needs, known) for name, needs in _entries(root, "actions")),
        token_rates=(),
    )


def _entries(root: Fields, name: str) -> Iterable[tuple[str, Any]]:
    """The entries of an object of the document."""
    value = root.value(name)
    if value is MISSING:
        return ()
    if not isinstance(value, Mapping):
        root.wrong(name, f"must be an object, not {shown(value)}")
        return ()
    return value.items()


def _metric(reading: Reading, each: Any, path: str) -> Metric:
    fields = Fields(
        reading, each, path,
        required=("id", "aggregation"), optional=("deficit", "refund_shortfall", *REMARKS), noun="field",
    )  # fmt: skip
    metric_id = fields.identifier("id")
    return Metric(
        id=metric_id,
        name=metric_id,
        caption="units",
        aggregation=fields.choice("aggregation", Aggregation),
        unit="units",
        display_unit="units",
        factor=1,
        price_per=1,
        hue=Hue.BLUE,
        icon="users",
        deficit=fields.choice("deficit", DeficitPolicy, absent=DeficitPolicy.FORGIVE),
        refund_shortfall=fields.choice("refund_shortfall", RefundPolicy, absent=RefundPolicy.DEBT),
    )


def _plan(reading: Reading, name: str, plan: Any, known: set[str], default: bool) -> Plan:
    fields = Fields(reading, plan, f"plans.{name}", required=("included",), optional=REMARKS, noun="field")
    given = fields.value("included")
    included: dict[str, int | None] = {}
    if isinstance(given, Mapping):
        of_metrics = Fields(reading, given, fields.at("included"), required=(), optional=sorted(known), noun="metric")
        included = {metric: of_metrics.limit(metric) for metric in given}
    elif given is not MISSING:
        fields.wrong("included", f"must be an object, not {shown(given)}")
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
        included=included,
    )


def _action(reading: Reading, name: str, needs: Any, known: set[str]) -> ActionRule:
    path = f"actions.{name}"
    if not isinstance(needs, list) or not needs or any(each not in known for each in map(str, needs)):
        reading.wrong(
            path, f"must be a list of metrics of this scenario: {', '.join(sorted(known)) or 'there are none'}"
        )
        return ActionRule(name, name, ())
    return ActionRule(name, name, tuple(map(str, needs)))
