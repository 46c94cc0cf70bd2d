"""The catalogue, gift cards and the audit log of the samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from billing_app.domain.catalogue import CatalogInvalidError, changes, parse_catalog, to_document
from billing_app.domain.common.errors import InvalidError
from billing_app.services.catalogue.versions import LoadResult
from billing_app.services.common.views import Entry
from billing_app.services.credits.views_cards import CardState, CardView, NewCard, Redemption
from billing_app.services.operators.views_catalogue import CatalogueView, CheckView, Preview, Version
from billing_app.services.operators.views_manual import HandsView
from billing_app.services.organizations.views import AuditPage
from tests.domain.catalogue.documents import small_document
from tests.ui.samples.facts import METRICS

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CHOICES = (("limit", "memberships", "memberships"), ("feature", "whiteLabel", "White label"))
CARD = UUID("00000000-0000-7000-8000-000000000001")


def whole_document() -> dict[str, Any]:
    """As the product tells it: everything written out."""
    return to_document(parse_catalog(small_document(), "base"))


def card(**more: Any) -> CardView:
    facts: dict[str, Any] = {
        "id": CARD, "batch_id": CARD, "name": "Welcome", "hint": "...PQRS", "contents": {"mau": 500, "token": 3},
        "expires_at": None, "max_redemptions": 2, "redemptions": 1, "created_at": NOW, "created_by": "oda",
        "voided_at": None, "void_reason": "", "state": CardState.OPEN,
    }  # fmt: skip
    return CardView(**facts | more)


class SampleOperatingDesk:
    """What operators do, over samples. Nothing is kept."""

    def catalogue(self) -> CatalogueView:
        return CatalogueView(3, NOW, "plans.json", whole_document(), NOW)

    def catalogue_file(self) -> Mapping[str, Any]:
        return whole_document()

    def check_catalogue(self, document: Mapping[str, Any], based_on: int) -> CheckView:
        try:
            edited = parse_catalog(document, "catalogue")
        except CatalogInvalidError as error:
            return CheckView(tuple((each.path, each.message) for each in error.mistakes))
        return CheckView((), tuple(changes(parse_catalog(small_document(), "base"), edited)), 2)

    def preview_catalogue(self, document: Mapping[str, Any], based_on: int, correcting: bool) -> Preview:
        return Preview(LoadResult(based_on, self.check_catalogue(document, based_on).changes, (), False), (), 0)

    def save_catalogue(self, document: Mapping[str, Any], based_on: int, correcting: bool) -> LoadResult:
        return LoadResult(based_on + 1, self.check_catalogue(document, based_on).changes, (), True)

    def rebase_catalogue(
        self, document: Mapping[str, Any], based_on: int
    ) -> tuple[int, Mapping[str, Any], Sequence[str]]:
        return based_on + 1, document, ["plans.pro.included.mau"]

    def catalogue_versions(self, before: int) -> Sequence[Version]:
        return [Version(3, NOW, NOW, "plans.json", None, None, True, ())]

    def catalogue_version(self, version: int) -> Mapping[str, Any]:
        return whole_document() | {"grace_days": 9}

    def gift_cards(self, cursor: str) -> tuple[Sequence[CardView], str, CatalogueView]:
        return [card()], "", self.catalogue()

    def create_gift_cards(
        self, name: str, contents: Mapping[str, int], count: int, redemptions: int, expires_at: datetime | None
    ) -> Sequence[NewCard]:
        return [NewCard(card(name=name, contents=contents), f"ABCD-EFGH-JKMN-{number:04d}") for number in range(count)]

    def void_gift_card(self, card: str, reason: str) -> None:
        """Nothing is kept."""

    def redemptions(self, card: str) -> Sequence[Redemption]:
        return [Redemption("meridian", "Meridian Apps", NOW, "oda")]

    def hands(self, address: str) -> HandsView:
        overrides = (("limit", "memberships", 25, None),)
        return HandsView(METRICS, (("pro", "Pro"),), "pro", (("gr_1", METRICS[0], 5, "Welcome"),), overrides, CHOICES)

    def give(self, address: str, metric: str, quantity: int, reason: str, ends_at: datetime | None, key: str) -> None:
        """Nothing is kept."""

    def void_grant(self, grant: str, reason: str) -> None:
        """Nothing is kept."""

    def set_plan(self, address: str, plan: str, reason: str) -> None:
        if not reason:
            raise InvalidError("Say why.", code="reason_required")

    def override(
        self, address: str, kind: str, name: str, value: int | None, reason: str, ends_at: datetime | None
    ) -> None:
        """Nothing is kept."""

    def end_override(self, address: str, kind: str, name: str) -> None:
        """Nothing is kept."""

    def audit(self, cursor: str, action: str, organization: str, who: str) -> AuditPage:
        entry = Entry(CARD, NOW, "oda", "Oda Berg", "catalogue.saved", "version 3", {}, {"version": 3})
        return AuditPage((entry,), "")
