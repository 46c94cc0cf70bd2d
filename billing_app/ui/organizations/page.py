"""/o/{address}/organization: profile, members, sub-organizations, API keys, audit log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx

from billing_app.domain.common.access import ADMIN_ROLES, Role, Scope, role_in
from billing_app.domain.common.errors import BillingError, UnauthenticatedError
from billing_app.services.access import api_keys, members
from billing_app.services.access.members import Invitation
from billing_app.services.organizations import children, profiles, read
from billing_app.services.organizations.views import OrganizationPageView
from billing_app.services.plans import stripe_endings
from billing_app.services.purchases import endings
from billing_app.ui import routes
from billing_app.ui.access.session import PageAccess, guarded, id_in
from billing_app.ui.access.transactions import PageContext
from billing_app.ui.frame.organization import page
from billing_app.ui.frame.state import OrganizationPage
from billing_app.ui.kit.basics import head
from billing_app.ui.kit.skeletons import list_skeleton
from billing_app.ui.organizations.audit import ask_first, audit_section, tabs
from billing_app.ui.organizations.children import child_dialog, children_section
from billing_app.ui.organizations.keys import key_dialog, keys_section
from billing_app.ui.organizations.members import invite_dialog, members_section
from billing_app.ui.organizations.profile import ending_dialog, profile_section
from billing_app.ui.organizations.profile_text import FIELDS
from billing_app.ui.organizations.text import OrganizationScreen, organization_screen

NOT_HERE = ("There is no such thing here.", "not_here")

QUESTIONS = ("remove", "withdraw", "leave", "deactivate", "activate", "revoke")
"""What the page asks about before it does it."""


@dataclass(frozen=True)
class Asked:
    """The question that is open: what would be done to what."""

    what: str = ""
    target: str = ""
    name: str = ""


class OrganizationState(OrganizationPage):
    """What the page shows. The section lives in the URL; an open dialog only here."""

    screen: OrganizationScreen = OrganizationScreen()
    dialog: str = ""
    asked: Asked = Asked()
    refused: str = ""
    busy: bool = False
    """Stripe is being told that the organization ends, or does not."""
    saved: bool = False
    link: str = ""
    """An invitation's link, just made: shown once."""
    link_for: str = ""
    link_mailed: bool = False
    """It was sent to them, too."""
    secret: str = ""
    """A key's secret, just made: shown once."""

    @guarded()
    async def load(self, access: PageAccess) -> None:
        """Reads the page."""
        tab, cursor = access.text("tab"), access.text("cursor")
        self.saved = False
        to_screen = partial(organization_screen, tab=tab, cursor=cursor)
        self.screen = await access.show(self, lambda at: page_of(at, cursor if tab == "audit" else ""), to_screen)

    @guarded(ADMIN_ROLES)
    async def save(self, access: PageAccess, form: dict) -> None:
        """Saves the profile."""
        changes = {name: form[name] for name in FIELDS if name in form}
        if await self._change(access, lambda at: profiles.change(at, changes)):
            self.saved = True

    @guarded(ADMIN_ROLES)
    async def invite(self, access: PageAccess, form: dict) -> None:
        """Invites a person and shows the link."""
        await self._invite(access, form.get("email", ""), form.get("role", ""))

    @guarded(ADMIN_ROLES)
    async def renew(self, access: PageAccess, email: str, role: str) -> None:
        """Makes a new link for somebody who is invited already, and shows it."""
        await self._invite(access, email, role)

    @guarded(ADMIN_ROLES)
    async def change_role(self, access: PageAccess, member: str, role: str) -> None:
        """Gives a member another role."""
        found = id_in(member, *NOT_HERE)
        if not await self._change(
            access,
            lambda at: members.change_role(at, found, role_in(role)),
        ):
            self.dialog = "refused"

    @guarded(ADMIN_ROLES)
    async def create_child(self, access: PageAccess, form: dict) -> None:
        """Makes a sub-organization."""
        name, address, parent = (form.get(key, "").strip() for key in ("name", "address", "parent"))

        def create(at: PageContext) -> None:
            children.create_below(at, parent, name=name, address=address, creator=at.access.identity.email)  # fmt: skip

        if await self._change(access, create):
            self.dialog = ""

    @guarded(ADMIN_ROLES)
    async def create_key(self, access: PageAccess, form: dict) -> None:
        """Makes a key and shows its secret, once."""
        scopes = [scope.value for scope in Scope if form.get(f"scope-{scope.value}")]
        made = await self._change(
            access,
            lambda at: api_keys.create(
                at.session, at.access.organization_id, form.get("name", ""), scopes, at.actor, at.now
            ),
        )
        if made is not None:
            self.secret = made.secret

    @guarded(ADMIN_ROLES)
    async def act(self, access: PageAccess) -> Any:
        """Does what the open question asked about."""
        what, target = self.asked.what, self.asked.target
        done: Callable[[PageContext], Any] | None = {
            "remove": lambda at: remove(at, id_in(target, *NOT_HERE)),
            "withdraw": lambda at: remove(at, id_in(target, *NOT_HERE)),
            "deactivate": lambda at: set_active(at, target, False),
            "activate": lambda at: set_active(at, target, True),
            "revoke": lambda at: revoke(at, id_in(target, *NOT_HERE)),
        }.get(what)
        if done is not None and await self._change(access, done):
            self._close()

    @guarded(ADMIN_ROLES, background=True)
    async def end_organization(self, access: PageAccess, form: dict) -> Any:
        """Ends the organization, now or when what is paid has run out."""
        at_period_end = form.get("when") != "now"
        reason = str(form.get("reason", ""))

        def decide(at: PageContext) -> None:
            endings.decide(at, at_period_end=at_period_end, reason=reason)

        return await self._settle_ending(access, decide)

    @guarded(ADMIN_ROLES, background=True)
    async def keep_organization(self, access: PageAccess) -> Any:
        """It does not end after all."""

        def keep(at: PageContext) -> None:
            operator = at.role is Role.OPERATOR
            profiles.keep(at, operator=operator)

        return await self._settle_ending(access, keep)

    async def _settle_ending(self, access: PageAccess, decide: Callable[[PageContext], None]) -> Any:
        """Decides, and tells Stripe at once; what fails there is tried again by a sweep."""
        async with self:
            if self.busy:
                return None
            self.busy, self.refused = True, ""
        problem = ""
        try:
            await access.call(lambda: stripe_endings.decided(access.writing, decide, *access.outside))
        except BillingError as error:
            if isinstance(error, UnauthenticatedError) or error.code in ("forbidden", "organization_not_found"):
                raise
            problem = error.detail
        finally:
            async with self:
                self.busy = False
        async with self:
            self.refused = problem
            if not problem:
                self._close()
            return OrganizationState.load if access.still_on(self) else None

    @guarded()
    async def leave(self, access: PageAccess) -> Any:
        """Ends one's own membership, and goes home."""
        if not await self._change(access, lambda at: remove(at, at.access.identity.user_id), again=False):
            return None
        self._close()
        return rx.redirect(routes.HOME)

    @guarded()
    async def open(self, access: PageAccess, dialog: str) -> None:
        """Opens a dialog; the server is asked again when it is sent."""
        self._close()
        self.dialog = dialog if dialog in ("invite", "child", "key", "end") else ""

    @guarded()
    async def ask(self, access: PageAccess, what: str, target: str, name: str) -> None:
        """Opens the question before something is ended."""
        self._close()
        if what in QUESTIONS:
            self.asked = Asked(what, target, name)

    @guarded()
    async def close(self, access: PageAccess) -> None:
        """Closes whatever is open and forgets what was shown once."""
        self._close()

    def _close(self) -> None:
        self.dialog = self.refused = self.link = self.link_for = self.secret = ""
        self.asked = Asked()

    async def _invite(self, access: PageAccess, email: str, role: str) -> None:
        made = await self._change(
            access,
            lambda at: members.invite(at, email, role_in(role)),
        )
        self.dialog = "invite"
        if made is not None:
            self.link, self.link_for = self.screen.base_url + made.path, made.member.email
            self.link_mailed = await access.call(lambda: mailed(access, made))

    async def _change(self, access: PageAccess, work: Callable[[PageContext], Any], *, again: bool = True) -> Any:
        """Does one change and reads the page anew; a refusal is said where it was asked for.

        Gives what `work` gave, True where that is nothing, and None after a refusal.
        """

        self.refused = ""
        try:
            made = await access.write(work)
        except BillingError as error:
            if isinstance(error, UnauthenticatedError) or error.code in ("forbidden", "organization_not_found"):
                raise
            self.refused = error.detail
            return None
        if again:
            to_screen = partial(organization_screen, tab=access.text("tab"))
            self.screen = await access.show(self, page_of, to_screen)
        return True if made is None else made


def page_of(at: PageContext, cursor: str = "") -> OrganizationPageView:
    """Profile, members, sub-organizations, keys, and a page of the audit log."""
    return read.page(at.session, at.access, at.settings, at.now, cursor=cursor, action="")


def remove(at: PageContext, member: UUID) -> None:
    """Ends a membership, or revokes an invitation."""
    members.remove(at, member)


def set_active(at: PageContext, child: str, active: bool) -> None:
    """Deactivates a sub-organization, or lets it work again."""
    found = children.find(at.session, at.organization, child)
    children.set_active(at, found, active)


def revoke(at: PageContext, key: UUID) -> None:
    """Ends a key for good."""
    api_keys.revoke(at.session, at.access.organization_id, key, at.now, actor=at.actor)


def mailed(access: PageAccess, invitation: Invitation) -> bool:
    """Whether an invitation that was just made could be sent."""
    with access.reading() as at:
        name, by = at.organization.name, at.access.identity.name
    return members.mail(access.settings, invitation, name, by)


screen = OrganizationState.screen


def organization_page() -> rx.Component:
    """The page."""
    state = OrganizationState
    section = rx.match(
        screen.tab,
        ("members", members_section(screen, state)),
        ("parts", children_section(screen, state)),
        ("keys", keys_section(screen, state)),
        ("audit", audit_section(screen)),
        profile_section(screen, state),
    )
    content = rx.fragment(
        head("Organization"),
        tabs(screen.tabs),
        section,
        invite_dialog(state),
        child_dialog(state),
        key_dialog(state),
        ending_dialog(screen, state),
        ask_first(state),
    )
    return page(content, active="organization", ready=screen.ready, skeleton=list_skeleton("Organization"))
