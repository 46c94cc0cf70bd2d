"""What the states of pages have of the frame around them: each page's state derives from one of these.

One state a page, so that a page sends only its own changes.
"""

from __future__ import annotations

from billing_app.services.overview.views_frame import FrameView, OperatorFrameView
from billing_app.ui.access.guarded_page import GuardedPage
from billing_app.ui.frame.text import FrameScreen, OperatorFrameScreen, frame_screen, operator_frame_screen


class OrganizationPage(GuardedPage):
    """A page of an organization."""

    frame: FrameScreen = FrameScreen()

    def _welcome(self, view: FrameView) -> None:
        """Shows the frame as it was just read; what had gone wrong is over."""
        screen = frame_screen(view)
        if screen != self.frame:
            self.frame = screen
        self._clear()


class OperatorPage(GuardedPage):
    """A page of operators."""

    frame: OperatorFrameScreen = OperatorFrameScreen()

    def _welcome(self, view: OperatorFrameView) -> None:
        """Shows the frame as it was just read; what had gone wrong is over."""
        screen = operator_frame_screen(view)
        if screen != self.frame:
            self.frame = screen
        self._clear()
