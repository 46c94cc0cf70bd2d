"""Samples of the organization's page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from billing_app.domain.common.access import Role
from billing_app.domain.organizations.limits import Limit, LimitUse
from billing_app.services.access.views import KeyAnswer, MemberAnswer
from billing_app.services.common.views import Entry
from billing_app.services.organizations.views import (
    AuditPage,
    CountsAnswer,
    MoneyView,
    OrganizationPageView,
    PartAnswer,
    ProfileView,
)
from billing_app.services.subscriptions.views_endings import EndingAnswer, EndingPartAnswer, PaidThingAnswer

NOW = datetime(2025, 11, 20, 14, 12, tzinfo=UTC)
ANA = UUID(int=1)


def page(address: str, role: str) -> OrganizationPageView:
    """One admin, one invited; one part, which has a part; a key that was revoked."""
    admin = role in ("admin", "operator")
    money = MoneyView("cus_1", "sub_1", 0, 12, NOW - timedelta(days=90), NOW + timedelta(days=10))
    said = {"type": "company", "description": "", "size": "", "color": "#0090ff", "logo": "https://cdn.example/l.svg"}
    profile = ProfileView(
        address=address, name="Meridian Apps", profile={**said, "subdomain": "", "timezone": "UTC", "country": "PT"},
        active=True, parents=(), plan="pro", plan_name="Pro", payer=address, payer_name="Meridian Apps",
        created_at=NOW - timedelta(days=400), counts=CountsAnswer(2, 1, 0, 0, 0, 5, 70), money=money if admin else None,
    )  # fmt: skip
    members = (
        MemberAnswer(ANA, "ana@meridian.example", "Ana Ruiz", Role.ADMIN, NOW, NOW),
        MemberAnswer(UUID(int=2), "kim@meridian.example", "", Role.MEMBER, NOW, None),
    )
    key = KeyAnswer(UUID(int=3), "Reports", "bk_live_ab...yz", ("read",), False, "ana@meridian.example", NOW, None, NOW)
    entry = Entry(
        UUID(int=4), NOW, "ana@meridian.example", "ana@meridian.example", "member.role_changed", "kim@meridian.example",
        {"role": "member"}, {"role": "billing"},
    )  # fmt: skip
    return OrganizationPageView(
        now=NOW, role=Role(role), person_id=str(ANA), profile=profile,
        limits=(LimitUse(Limit.MEMBERSHIPS, 2, 2), LimitUse(Limit.SUB_ORGS, None, 2), LimitUse(Limit.CUSTOM_URL, 0, 0)),
        members=members,
        parts=(
            PartAnswer("north", "North", address, 1, True, 1, None),
            PartAnswer("oslo", "Oslo", "north", 2, False, 2, "Free"),
        ),
        keys=(key,) if admin else (), audit=AuditPage((entry,) if admin else (), ""),
        public_url="https://billing.example/",
        ending=ending(address) if admin else None,
    )  # fmt: skip


def ending(address: str) -> EndingAnswer:
    """A plan, a pack that renews, and an auto top-up; a part that pays for itself."""
    ends_at = NOW + timedelta(days=10)
    trial = PaidThingAnswer("plan", "Essential", 2_900, "usd", "month", ends_at, "trial")
    return EndingAnswer(
        address, "Meridian Apps",
        pays=(
            PaidThingAnswer("plan", "Pro", 9_900, "usd", "month", ends_at, "paid"),
            PaidThingAnswer("pack", "mau-10k-monthly", 1_200, "usd", "month", ends_at, "paid"),
            PaidThingAnswer("top_up", "Storage", 20_000, "usd", "", None, "paid"),
        ),
        parts=(EndingPartAnswer("north", "North", (trial,)),),
        ends_at=ends_at, scope="", at_period_end=True, decided_at=None, actor="", reason="", told=False, done=False,
        error="",
    )  # fmt: skip
