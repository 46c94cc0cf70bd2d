"""Reflex's configuration: the app's name, its look, and who may open its websocket."""

import reflex as rx
from reflex.constants import StateManagerMode

from billing_app.services.common.origins import own_origins
from billing_app.settings import settings
from billing_app.ui.frame.theme import Look, radix_theme

config = rx.Config(
    app_name="billing_app",
    plugins=[Look(theme=radix_theme())],
    disable_plugins=[rx.plugins.SitemapPlugin],
    telemetry_enabled=False,
    show_built_with_reflex=False,
    cors_allowed_origins=list(own_origins(settings().public_url)),
    frontend_compression_formats=["brotli", "gzip"],
    redis_url=settings().redis_url or None,
    # Never on disk, Reflex's own choice without Redis: what a tab holds is gone with its process, and with its session.
    state_manager_mode=StateManagerMode.REDIS if settings().redis_url else StateManagerMode.MEMORY,
)
