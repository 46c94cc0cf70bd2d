"""Joins the API: its routes under /api/v1, health at the root, and the layers around API and pages alike.

Reflex mounts what this gives as the outermost app and itself below it, so the layers guard the pages too. FastAPI's
lifespan does not run there; nothing here needs one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import APIRouter, Depends, FastAPI
from starlette.responses import HTMLResponse, RedirectResponse

from billing_app import clock as wall_clock
from billing_app.api import openapi
from billing_app.api.access import sign_in, sign_in_links
from billing_app.api.catalogue import routes as catalogue
from billing_app.api.common import docs_page, health, problems
from billing_app.api.common.body_limits import BodyLimits
from billing_app.api.common.client_address import client_of
from billing_app.api.common.framing import PlainPaths, framed
from billing_app.api.common.headers import SecurityHeaders
from billing_app.api.common.health import Check, checks_of
from billing_app.api.common.lanes import Lanes, contexts_of
from billing_app.api.common.process import PREFIX, Application
from billing_app.api.common.rate_limits import Limit, RateLimits, buckets_of
from billing_app.api.common.request_log import RequestLog
from billing_app.api.common.sockets import Handshakes, Sockets
from billing_app.api.credits import cards_and_tokens, downloads
from billing_app.api.credits import routes as credits
from billing_app.api.notifications import routes as notifications
from billing_app.api.operators import catalogue as operator_catalogue
from billing_app.api.operators import credits as operator_credits
from billing_app.api.operators import organizations as operator_organizations
from billing_app.api.operators import stripe
from billing_app.api.organizations import members
from billing_app.api.organizations import routes as organizations
from billing_app.api.overview import routes as looking
from billing_app.api.plans import routes as subscription
from billing_app.api.processes import routes as processes
from billing_app.api.purchases import checkout, endings, recurring
from billing_app.api.stripe import routes as webhooks
from billing_app.api.usage import routes as usage
from billing_app.api.usage.fast_path import HotPath
from billing_app.api.usage.lines import UsageLines
from billing_app.db import Database
from billing_app.services.access import sessions
from billing_app.settings import Settings

ROUTERS: tuple[APIRouter, ...] = (
    sign_in.router,
    catalogue.router,
    usage.router,
    credits.router,
    looking.router,
    downloads.router,
    checkout.router,
    subscription.router,
    endings.router,
    recurring.router,
    cards_and_tokens.router,
    organizations.router,
    members.router,
    notifications.router,
    sign_in_links.router,
    processes.router,
    operator_organizations.router,
    operator_credits.router,
    operator_catalogue.router,
    stripe.router,
    webhooks.router,
)


def create_api(
    database: Database,
    settings: Settings,
    *,
    clock: Callable[[], datetime] = wall_clock.now,
    checks: Mapping[str, Check] | None = None,
    routers: tuple[APIRouter, ...] = ROUTERS,
) -> FastAPI:
    """The app for Reflex's `api_transformer`. `checks` are what /readyz looks at; `clock` is for tests."""
    application = Application(database.ticking(clock), settings, clock)
    root = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    root.state.application = application
    root.state.checks = checks_of(settings) if checks is None else checks
    problems.install(root)
    root.include_router(health.router)
    root.mount(PREFIX, _versioned(application, routers))
    # A mount begins after the slash: without this, the address that people try first would be an unknown page.
    root.add_api_route(PREFIX, lambda: RedirectResponse(f"{PREFIX}/docs"), include_in_schema=False)
    # The last one added is the outermost.
    root.add_middleware(HotPath, prefix=PREFIX)
    root.add_middleware(PlainPaths, prefix=PREFIX)
    root.add_middleware(Lanes, prefix=PREFIX, contexts=contexts_of(application))
    root.add_middleware(BodyLimits, prefix=PREFIX)
    root.add_middleware(UsageLines, prefix=PREFIX)
    if settings.rate_limit_per_minute:
        limit, buckets = Limit(settings.rate_limit_per_minute), buckets_of(settings.redis_url)
        root.add_middleware(RateLimits, prefix=PREFIX, limit=limit, buckets=buckets, secure=settings.secure)
    root.add_middleware(
        Sockets, client=lambda asked: client_of(asked, settings.trusted_proxies), alive=_alive(application)
    )
    root.add_middleware(Handshakes, origins=application.origins, prefix=PREFIX, secure=settings.secure)
    root.add_middleware(SecurityHeaders, origins=application.origins, prefix=PREFIX)
    root.add_middleware(RequestLog)
    return root


def _alive(application: Application) -> Callable[[str], bool]:
    """Whether a hash is that of a session which has not ended."""

    def alive(session_hash: str) -> bool:
        with application.database.reading() as session:
            found = sessions.identify_hash(session, session_hash, application.clock(), demo=application.settings.demo)
        return found is not None

    return alive


def _versioned(application: Application, routers: tuple[APIRouter, ...]) -> FastAPI:
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
        dependencies=[Depends(framed)],
        generate_unique_id_function=lambda route: route.name,
    )
    api.state.application = application
    problems.install(api)
    for router in routers:
        api.include_router(router)
    # For pages that the websocket refuses, which cannot tell a script why.
    api.add_api_route("/connection", lambda: {"origins": application.origins}, include_in_schema=False)
    api.add_api_route("/docs", lambda: HTMLResponse(docs_page.page(api.openapi())), include_in_schema=False)
    api.openapi = lambda: openapi.document(api)  # how FastAPI wants it replaced
    return api
