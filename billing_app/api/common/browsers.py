"""Answers to browsers that sign in or out: forms post here, and a full page load follows.

The pages of Reflex only learn of a cookie when their websocket opens anew, so each of these routes answers 303 to a
local page. A program that asks for JSON gets JSON and problems instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from billing_app.api.common.access import require_own_origin, session_token
from billing_app.api.common.client_address import client_of
from billing_app.api.common.process import Application, application_of
from billing_app.domain.common.access import local_path
from billing_app.domain.common.errors import BillingError
from billing_app.services.access import cookies
from billing_app.services.access.cookies import cookie_name, device_in, device_name
from billing_app.services.access.sessions import SignedIn


@dataclass(frozen=True, slots=True)
class Entered:
    """What a route of this family achieved: where to go on, and the session that was opened or ended."""

    target: str
    signed_in: SignedIn | None = None
    signed_out: bool = False
    device: str = ""
    """What the browser keeps to be known again, its person having proved their password (services.access.devices)."""


class Browser:
    """One posted form."""

    def __init__(self, request: Request) -> None:
        """Notes who posted it and when."""
        self.application: Application = application_of(request)
        self.now: datetime = self.application.clock()
        self.client = client_of(request, self.application.settings.trusted_proxies)
        self.token = session_token(request, self.application)
        sent = "; ".join(request.headers.getlist("cookie"))
        self.device = device_in(sent, secure=self.application.settings.secure)
        self._request = request
        self._wants_json = "application/json" in request.headers.get("accept", "")

    def answer(self, page: str, work: Callable[[], Entered], **kept: str) -> Response:
        """Does `work` and goes on to its target; a refusal goes back to `page` with its code.

        `kept` are form fields that the page needs again. Every one of these routes changes who a browser is, so each
        wants our own origin, whether or not there is a cookie yet: another site must not sign its visitors in as
        somebody else.
        """
        try:
            require_own_origin(self._request, self.application)
            entered = work()
        except BillingError as error:
            if self._wants_json:
                raise
            query = urlencode({"error": error.code, **{name: value for name, value in kept.items() if value}})
            return RedirectResponse(f"{page}?{query}", status_code=303)
        response = self._go_on(local_path(entered.target))
        if entered.signed_in is not None:
            expires_in = entered.signed_in.expires_at - self.now
            self._set_cookie(
                response, cookie_name(self.application.settings.secure), entered.signed_in.token, expires_in
            )
        if entered.device:
            self._set_cookie(response, device_name(self.application.settings.secure), entered.device, cookies.LASTS)
        if entered.signed_out:
            secure = self.application.settings.secure
            response.delete_cookie(cookie_name(secure), path="/", secure=secure, httponly=True, samesite="lax")
        return response

    def _go_on(self, target: str) -> Response:
        if self._wants_json:
            return JSONResponse({"next": target})
        return RedirectResponse(target, status_code=303)

    def _set_cookie(self, response: Response, name: str, value: str, lasts: timedelta) -> None:
        response.set_cookie(
            name,
            value,
            max_age=int(lasts.total_seconds()),
            path="/",
            secure=self.application.settings.secure,
            httponly=True,
            samesite="lax",
        )


async def _browser(request: Request) -> Browser:
    return Browser(request)


FromBrowser = Annotated[Browser, Depends(_browser)]
