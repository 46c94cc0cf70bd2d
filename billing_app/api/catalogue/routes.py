"""What can be held and bought: open to anyone, for the price page of the SaaS product."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request

from billing_app.api.catalogue.schemas import MetricAnswer, PackAnswer, PlanAnswer
from billing_app.api.common.problems import problems
from billing_app.api.common.process import application_of
from billing_app.api.common.schemas import Items, Name
from billing_app.domain.catalogue import Catalog, Plan, metric_document, pack_document, plan_document
from billing_app.domain.common.errors import NotFoundError
from billing_app.services.catalogue import versions
from billing_app.services.payments import stripe_names

router = APIRouter(tags=["catalogue"])


@router.get("/metrics", response_model=Items[MetricAnswer], responses=problems(503))
def metrics(request: Request) -> dict[str, Any]:
    """Every metric, in the catalogue's order."""
    return {"items": [metric_document(metric) for metric in _current(request).metrics]}


@router.get("/packs", response_model=Items[PackAnswer], responses=problems(404, 503))
def packs(request: Request, metric: Annotated[Name | None, Query()] = None) -> dict[str, Any]:
    """The packs that can be bought, of one metric or of all."""
    current = _current(request)
    if metric is not None:
        current.metric(metric)
    offered = [pack for pack in current.packs if pack.offered and metric in (None, pack.metric)]
    return {"items": [{**pack_document(pack), "currency": current.currency} for pack in offered]}


@router.get("/plans", response_model=Items[PlanAnswer], responses=problems(503))
def plans(request: Request) -> dict[str, Any]:
    """The plans that can be chosen."""
    current = _current(request)
    return {"items": [_plan(current, plan) for plan in current.plans if plan.offered]}


@router.get("/plans/{plan}", response_model=PlanAnswer, responses=problems(404, 503))
def plan(request: Request, plan: Annotated[Name, Path()]) -> dict[str, Any]:
    """One plan. One that is not public looks as if it were not there."""
    current = _current(request)
    found = current.plan(plan)
    if not found.offered:
        raise NotFoundError(f"There is no plan {plan!r}.", code="plan_not_found")
    return _plan(current, found)


def _current(request: Request) -> Catalog:
    application = application_of(request)
    with application.database.reading() as session:
        return stripe_names.named(session, versions.current(session, application.clock()))


def _plan(current: Catalog, plan: Plan) -> dict[str, Any]:
    return {**plan_document(plan, current), "currency": current.currency}
