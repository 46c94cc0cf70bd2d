"""The organization's page: from the view to what the screen shows, and entries of any audit log."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from billing_app.domain.catalogue.model import Metric
from billing_app.domain.common.access import Role
from billing_app.domain.organizations.limits import Limit, LimitUse, why_full
from billing_app.services.access.views import KeyAnswer, MemberAnswer
from billing_app.services.common.audit_words import Words
from billing_app.services.common.views import Entry
from billing_app.services.organizations.views import AuditPage, OrganizationPageView, PartAnswer, ProfileView
from billing_app.services.overview.views_frame import FrameView
from billing_app.ui import routes
from billing_app.ui.kit.formats import Formats, clock, day, initial, moment_text
from billing_app.ui.kit.records import Choice
from billing_app.ui.organizations.profile_text import (
    EndingScreen,
    ProfileScreen,
    ending_screen,
    limit_use,
    profile_screen,
)


@dataclass(frozen=True)
class AuditRow:
    """One entry: "Nora invited kim@...", what more there is to it, and its moment."""

    who: str = ""
    did: str = ""
    changes: list[str] = field(default_factory=list)
    when: str = ""
    time: str = ""
    exact: str = ""


class Signs:
    """Figures as this reader writes them."""

    def __init__(self, formats: Formats) -> None:
        """In the signs of a locale."""
        self._formats = formats

    def size(self, metric: Metric, value: int) -> str:
        """A quantity with its unit."""
        return self._formats.size(metric, value)

    def money(self, cents: int, currency: str) -> str:
        """An amount with its currency."""
        return self._formats.money(cents, currency)


def audit_rows(page: AuditPage, now: datetime, formats: Formats) -> list[AuditRow]:
    """The lines of a page of the log."""
    words = Words(page.metrics, page.currency, Signs(formats))
    return [_row(entry, now, words) for entry in page.entries]


def _row(entry: Entry, now: datetime, words: Words) -> AuditRow:
    said = words.text_of(entry)
    return AuditRow(
        who=said.who,
        did=said.did,
        changes=list(said.details),
        when=day(entry.at, now),
        time=f"{clock(entry.at)} UTC",
        exact=entry.at.isoformat(),
    )


TABS = (
    ("profile", "Profile", "building-2"),
    ("members", "Members", "users"),
    ("parts", "Sub-organizations", "network"),
    ("keys", "API keys", "key-round"),
    ("audit", "Audit log", "scroll-text"),
)

ROLES = (
    ("admin", "Admin", "changes everything, members too"),
    ("billing", "Billing", "buys and reads the ledger"),
    ("member", "Member", "reads use and credits"),
)

ROLE_LABELS = {role: label for role, label, _ in ROLES}


@dataclass(frozen=True)
class TabLink:
    """One section of the page."""

    label: str = ""
    href: str = ""
    here: bool = False
    count: str = ""


@dataclass(frozen=True)
class MemberRow:
    """One person. `state` is empty for somebody who is in."""

    id: str = ""
    name: str = ""
    email: str = ""
    initial: str = ""
    role: str = ""
    role_label: str = ""
    since: str = ""
    invited: bool = False
    you: bool = False
    last_admin: bool = False


@dataclass(frozen=True)
class ChildRow:
    """One organization below this one; `indent` is its depth as a width."""

    address: str = ""
    name: str = ""
    initial: str = ""
    href: str = ""
    indent: str = ""
    plan: str = ""
    members: str = ""
    active: bool = True
    deeper: bool = False


@dataclass(frozen=True)
class KeyRow:
    """One API key."""

    id: str = ""
    name: str = ""
    hint: str = ""
    scopes: list[str] = field(default_factory=list)
    made: str = ""
    used: str = ""
    revoked: str = ""


@dataclass(frozen=True)
class OrganizationScreen:
    """Everything on the page."""

    ready: bool = False
    tab: str = "profile"
    tabs: list[TabLink] = field(default_factory=list)
    admin: bool = False
    member: bool = True
    """This person is a member and may leave; operators are not."""
    inactive: str = ""
    profile: ProfileScreen = field(default_factory=ProfileScreen)
    members: list[MemberRow] = field(default_factory=list)
    members_taken: str = ""
    no_place: str = ""
    """Why nobody can be invited; empty when somebody can."""
    children: list[ChildRow] = field(default_factory=list)
    children_taken: str = ""
    no_child: str = ""
    parents: list[Choice] = field(default_factory=list)
    parent: str = ""
    parent_href: str = ""
    sources_href: str = ""
    api_keys: list[KeyRow] = field(default_factory=list)
    audit: list[AuditRow] = field(default_factory=list)
    audit_next: str = ""
    audit_first: str = ""
    ending: EndingScreen = field(default_factory=EndingScreen)
    base_url: str = ""
    """Where invitation links begin."""


def organization_screen(
    view: OrganizationPageView, frame: FrameView, formats: Formats, tab: str, cursor: str = ""
) -> OrganizationScreen:
    """The page for one person."""
    profile = view.profile
    admin = view.role in (Role.ADMIN, Role.OPERATOR)
    seen = {link.address for link in frame.organizations}
    admins = [each for each in view.members if each.role is Role.ADMIN and each.accepted_at]
    people, below = limit_use(view, Limit.MEMBERSHIPS), limit_use(view, Limit.SUB_ORGS)
    chosen = tab if tab in {each[0] for each in TABS if admin or each[0] not in ("keys", "audit")} else "profile"
    address = profile.address
    return OrganizationScreen(
        ready=True,
        tab=chosen,
        tabs=_tabs(view, chosen, admin, formats),
        admin=admin,
        member=view.role is not Role.OPERATOR,
        inactive="" if profile.active else "It keeps its data, and nothing more is allowed until it is active again.",
        profile=profile_screen(view, formats),
        members=[_member(each, view, len(admins) == 1) for each in view.members],
        members_taken=_taken(people, "place", "places", view, formats),
        no_place=_why_full(people, profile),
        children=[_child(each, seen, view.role is Role.OPERATOR) for each in view.parts],
        children_taken=_taken(below, "sub-organization", "sub-organizations", view, formats),
        no_child=_why_full(below, profile)
        or ("" if len(profile.parents) < 2 else "This is the third level, below which there can be none."),
        parents=[
            Choice(address, profile.name),
            *(
                Choice(each.address, f"{'    ' * each.depth}{each.name}")
                for each in view.parts
                if each.active and each.depth + len(profile.parents) < 2
            ),
        ],
        parent=profile.parents[0][1] if profile.parents else "",
        parent_href=_above(profile, seen),
        sources_href=routes.usage(address),
        api_keys=[_key(each, view.now) for each in view.keys],
        audit=audit_rows(view.audit, view.now, formats),
        audit_next=routes.organization_page(address, tab="audit", cursor=view.audit.next_cursor)
        if view.audit.next_cursor
        else "",
        audit_first=routes.organization_page(address, tab="audit") if cursor else "",
        ending=_ending(view, formats),
        base_url=view.public_url.rstrip("/"),
    )


def _above(profile: ProfileView, seen: set[str]) -> str:
    """The page of what it is a part of, for whoever may see it."""
    return routes.overview(profile.parents[0][0]) if profile.parents and profile.parents[0][0] in seen else ""


def _ending(view: OrganizationPageView, formats: Formats) -> EndingScreen:
    return ending_screen(view.ending, formats, operator=view.role is Role.OPERATOR, active=view.profile.active)


def _tabs(view: OrganizationPageView, chosen: str, admin: bool, formats: Formats) -> list[TabLink]:
    counts = {
        "members": len(view.members),
        "parts": len(view.parts),
        "keys": sum(1 for key in view.keys if key.revoked_at is None),
    }
    return [
        TabLink(
            label=label,
            href=routes.organization_page(view.profile.address, tab="" if name == "profile" else name),
            here=name == chosen,
            count=formats.number(counts[name]) if counts.get(name) else "",
        )
        for name, label, icon in TABS
        if admin or name not in ("keys", "audit")
    ]


def _member(member: MemberAnswer, view: OrganizationPageView, one_admin: bool) -> MemberRow:
    invited = member.accepted_at is None
    name = member.name or member.email
    return MemberRow(
        id=str(member.id),
        name=name,
        email=member.email if name != member.email else "",
        initial=initial(name),
        role=member.role.value,
        role_label=ROLE_LABELS[member.role.value],
        since=f"invited {day(member.since, view.now)}" if invited else f"since {day(member.since, view.now)}",
        invited=invited,
        you=str(member.id) == view.person_id,
        last_admin=one_admin and member.role is Role.ADMIN and not invited,
    )


def _child(child: PartAnswer, seen: set[str], everything: bool) -> ChildRow:
    people = "1 member" if child.members == 1 else f"{child.members} members"
    return ChildRow(
        address=child.address,
        name=child.name,
        initial=initial(child.name),
        href=routes.overview(child.address) if everything or child.address in seen else "",
        indent=f"{(child.depth - 1) * 28}px",
        plan=f"{child.plan} plan of its own" if child.plan else "paid for by this plan",
        members=people,
        active=child.active,
        deeper=child.depth > 1,
    )


def _key(key: KeyAnswer, now: datetime) -> KeyRow:
    return KeyRow(
        id=str(key.id),
        name=key.name,
        hint=key.hint,
        scopes=list(key.scopes),
        made=f"{day(key.created_at, now)} by {key.created_by}" if key.created_by else day(key.created_at, now),
        used="never used" if key.last_used_at is None else f"last used {moment_text(key.last_used_at)}",
        revoked="" if key.revoked_at is None else f"revoked {day(key.revoked_at, now)}",
    )


def _taken(use: LimitUse | None, one: str, many: str, view: OrganizationPageView, formats: Formats) -> str:
    """ "3 of 10 places", "3, unlimited"; with whoever else the same plan pays for."""
    if use is None:
        return ""
    whose = "" if view.profile.payer == view.profile.address else f" of {view.profile.payer_name}"
    if use.maximum is None:
        return f"{formats.number(use.used)}{whose}, unlimited"
    noun = one if use.maximum == 1 else many
    return f"{formats.number(use.used)} of {formats.number(use.maximum)} {noun}{whose} taken"


def _why_full(use: LimitUse | None, profile: ProfileView) -> str:
    if not profile.active:
        return "This organization is deactivated."
    return "" if use is None or use.fits() else why_full(profile.plan_name, use)
