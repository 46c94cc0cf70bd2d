"""What an operator sees of the samples."""

from __future__ import annotations

from datetime import timedelta

from billing_app.services.operators.views import OrganizationLine, OrganizationsView, Trouble, TroubleView
from billing_app.services.overview.views_frame import OperatorShellView
from tests.ui.samples.operating import NOW, SampleOperatingDesk
from tests.ui.samples.operations import SampleOperations


class SampleOperatorDesk(SampleOperatingDesk, SampleOperations):
    """An operator's desk over samples."""

    def shell(self) -> OperatorShellView:
        return OperatorShellView("Oda Berg", "operator@console.example", True, True, "meridian", given_up=1)

    def organizations(self, search: str, cursor: str) -> OrganizationsView:
        lines = (
            OrganizationLine(
                "meridian", "Meridian Apps", "Pro", (TroubleView(Trouble.PAST_DUE, at=NOW + timedelta(days=5)),), 12
            ),
            OrganizationLine("stopped", "Stopped Studio", "Free", (TroubleView(Trouble.BLOCKED, ("SMS",)),), 3),
        )
        found = tuple(line for line in lines if search.lower() in line.name.lower())
        return OrganizationsView(found, NOW, "")
