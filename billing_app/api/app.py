"""Joins the API: its routes under /api/v1, health at the root, and the layers around API and pages alike.

Reflex mounts what this gives as the outermost app and itself below it, so the layers guard the pages too. FastAPI's
lifespan does not run there (platform.md); nothing here needs one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from starlette.responses import HTMLResponse

from billing_app import clock as wall_clock
from billing_app.api import docs_page, health, problems
from billing_app.api.bodies import BodyLimits
from billing_app.api.context import PREFIX, Context
from billing_app.api.handshakes import Handshakes
from billing_app.api.headers import SecurityHeaders
from billing_app.api.health import CHECKS, Check
from billing_app.api.rate_limits import Limit, RateLimits, buckets_of
from billing_app.api.request_log import RequestLog
from billing_app.api.routes import (
    cards_and_tokens,
    catalogue,
    checkout,
    consumption,
    credits,
    downloads,
    members,
    notifications,
    operator_catalogue,
    operator_credits,
    operator_organizations,
    organizations,
    recurring,
    sign_in,
    sign_in_links,
    subscription,
    usage,
    webhooks,
)
from billing_app.api.schemas.usage import CloudEventBatch, UsageBatch
from billing_app.db import Database
from billing_app.settings import Settings

DOCUMENTED: tuple[type[BaseModel], ...] = (problems.Problem, UsageBatch, CloudEventBatch)
"""Shapes that FastAPI does not see, because no route has them as its one body or answer."""

ROUTERS: tuple[APIRouter, ...] = (
    sign_in.router,
    catalogue.router,
    usage.router,
    consumption.router,
    credits.router,
    downloads.router,
    checkout.router,
    subscription.router,
    recurring.router,
    organizations.router,
    members.router,
    cards_and_tokens.router,
    sign_in_links.router,
    operator_organizations.router,
    operator_credits.router,
    operator_catalogue.router,
    notifications.router,
    webhooks.router,
)


def create_api(
    database: Database,
    settings: Settings,
    *,
    clock: Callable[[], datetime] = wall_clock.now,
    checks: Mapping[str, Check] = CHECKS,
    routers: tuple[APIRouter, ...] = ROUTERS,
) -> FastAPI:
    """The app for Reflex's `api_transformer`. `checks` are what /readyz looks at; `clock` is for tests."""
    context = Context(database, settings, clock)
    root = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    root.state.context = context
    root.state.checks = checks
    problems.install(root)
    root.include_router(health.router)
    root.mount(PREFIX, _versioned(context, routers))
    # The last one added is the outermost.
    root.add_middleware(BodyLimits, prefix=PREFIX)
    if settings.rate_limit_per_minute:
        limit, buckets = Limit(settings.rate_limit_per_minute), buckets_of(settings.redis_url)
        root.add_middleware(RateLimits, prefix=PREFIX, limit=limit, buckets=buckets, secure=settings.secure)
    root.add_middleware(Handshakes, origins=context.origins, prefix=PREFIX, secure=settings.secure)
    root.add_middleware(SecurityHeaders, origins=context.origins, prefix=PREFIX)
    root.add_middleware(RequestLog)
    return root


def _versioned(context: Context, routers: tuple[APIRouter, ...]) -> FastAPI:
    """Everything under /api/v1: an app of its own, so that its unknown routes are not taken for pages."""
    api = FastAPI(
        title="Billing console",
        version="1",
        description="Plans, prepaid credits per metric, exact blocking, and where every credit went.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        servers=[{"url": PREFIX}],
        generate_unique_id_function=lambda route: route.name,
    )
    api.state.context = context
    problems.install(api)
    for router in routers:
        api.include_router(router)
    api.add_api_route("/docs", lambda: HTMLResponse(docs_page.page(api.openapi())), include_in_schema=False)
    api.openapi = lambda: _document(api)  # how FastAPI wants it replaced
    return api


def _document(api: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once. Wrong fields are a Problem like all others, not FastAPI's own shape."""
    if api.openapi_schema is None:
        document = get_openapi(
            title=api.title,
            version=api.version,
            description=api.description,
            routes=api.routes,
            servers=api.servers,
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for model in DOCUMENTED:
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(schema.pop("$defs", {}))
            schemas[model.__name__] = schema
        for methods in document["paths"].values():
            for operation in methods.values():
                if "422" in operation["responses"]:
                    operation["responses"]["422"]["content"] = {
                        problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}
                    }
        api.openapi_schema = document
    return api.openapi_schema
