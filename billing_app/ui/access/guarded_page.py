"""What the state of every page behind a guard shares: what went wrong, and the way out."""

from __future__ import annotations

from typing import Any

import reflex as rx

from billing_app.domain.common.errors import (
    BillingError,
    BusyError,
    ForbiddenError,
    NotFoundError,
    TooManyAtOnceError,
    UnauthenticatedError,
)
from billing_app.ui import routes
from billing_app.ui.access import binding, live
from billing_app.ui.access.session import public

READS_AFTER = 2
"""How often a page is read anew after something was gone: by itself, and when whatever took it away is heard of."""


class GuardedPage(rx.State):
    """What every page behind a guard shares: what went wrong, and the way out.

    A method whose name does not begin with an underscore is an event handler, which any browser can call.
    """

    problem: str = ""
    problem_detail: str = ""
    _kept: int = 0
    _kept_on: str = ""

    def _say(self, problem: str, detail: str) -> None:
        """Shows what went wrong: "not_found", "forbidden" and "broken" in place of the page, "refused" on it."""
        self.problem, self.problem_detail = problem, detail

    def _welcome(self, view: Any) -> None:
        """Shows the frame as it was just read; what had gone wrong is over."""
        raise NotImplementedError

    def _clear(self) -> None:
        """What had gone wrong is over, unless this page was read anew because of it."""
        if not self._kept or self._kept_on != self.router.url.path:
            self.problem = self.problem_detail = ""
        self._kept = max(0, self._kept - 1)

    async def _refuse(self, error: BillingError, frame: Any, *, opening: bool = True) -> Any:
        """Shows why an event was refused; who is not signed in any more is asked to.

        What a button does not find was there a moment ago: that is a sentence, and the page is read anew.
        """
        if isinstance(error, UnauthenticatedError):
            return await self._leave()
        if isinstance(error, NotFoundError) and not opening and error.code != "organization_not_found":
            self._say("refused", error.detail)
            load = getattr(self.__class__, "load", None)
            self._kept, self._kept_on = READS_AFTER, self.router.url.path
            return load
        if frame is not None:
            self._welcome(frame)
        kind = {NotFoundError: "not_found", ForbiddenError: "forbidden"}.get(type(error), "refused")
        if opening and isinstance(error, BusyError | TooManyAtOnceError) and not self._shows_something():
            kind = "broken"  # there is no page yet on which a refusal could be read
        if kind != "refused":
            live.forget(self)  # a push meant for the page before this one must not take the refusal away
        self._say(kind, error.detail)
        return None

    def _shows_something(self) -> bool:
        return bool(getattr(getattr(self, "screen", None), "ready", False))

    async def _leave(self) -> Any:
        """Nobody is signed in any more: forgets everything that this tab showed, and asks to sign in."""
        url = self.router.url
        await binding.wipe(self)
        return rx.redirect(routes.sign_in(url.path + (f"?{url.query}" if url.query else "")))

    @public("shows that an event failed; says nothing about anybody")
    def fail(self) -> None:
        """What the screen says when a handler broke: the log has the reason."""
        self._say("broken", "")
