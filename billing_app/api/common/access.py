"""The door of a route: who may pass, and the one transaction behind it.

A route declares its rule as a dependency and gets a Door. It opens `door.reading()` or `door.writing()` once; inside,
the caller has been identified, found to be allowed and located in an organization, in the same transaction as the work.
There is no other way to a database session, so a route cannot forget to ask. The transaction ends before the answer is
made, in the thread of the route: dependencies that hold one across threads would lock up under load.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Path, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from billing_app.api.common.process import Context, context_of
from billing_app.domain.common.access import Role, Scope, is_address
from billing_app.domain.common.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from billing_app.services.access import api_keys, sessions
from billing_app.services.access.api_keys import KeyHolder
from billing_app.services.access.cookies import NAME, token_in
from billing_app.services.access.sessions import Identity
from billing_app.store.organizations.organizations import stored_id
from billing_app.store.tables.orgs import Organization

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

bearer = HTTPBearer(auto_error=False, scheme_name="key", description="An API key: bk_live_...")
cookie = APIKeyCookie(name=NAME, auto_error=False, scheme_name="session", description="A signed-in browser's session")


@dataclass(frozen=True, slots=True)
class Rule:
    """Who passes: signed-in people with one of `roles` (operators always), keys with one of `scopes`.

    `of_organization` is False for routes outside of any organization: there operators pass, and signed-in people too
    if `anyone`.
    """

    roles: frozenset[Role]
    scopes: frozenset[Scope]
    of_organization: bool = True
    anyone: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """What a route has behind its door. `actor` says who it is, for records."""

    session: Session
    now: datetime
    actor: str
    role: Role | None
    caller: Identity | KeyHolder
    found: Organization | None = None

    @property
    def who(self) -> str:
        """The caller as the audit log names them: a person by e-mail address, a program by its key."""
        return self.caller.email if isinstance(self.caller, Identity) else self.actor

    @property
    def organization(self) -> Organization:
        """The organization that the route is about; only behind an OrganizationDoor."""
        if self.found is None:
            raise LookupError("this door leads to no organization")
        return self.found

    @property
    def organization_id(self) -> int:
        """Its id."""
        return stored_id(self.organization)


class Door:
    """One request before a rule. `reading`, `writing` and `single` each ask anew and open a transaction."""

    def __init__(self, request: Request, rule: Rule, key: str | None, address: str = "") -> None:
        """Notes what was sent, and refuses at once what needs no database to be refused."""
        self.context: Context = context_of(request)
        self.rule = rule
        self.address = address
        self.now = self.context.clock()
        self._request = request
        self._key = key
        self._token = None if key is not None else session_token(request, self.context)
        if key is None and self._token is None:
            raise UnauthenticatedError("Send an API key (Authorization: Bearer bk_live_...), or sign in.")
        if key is None:
            require_own_origin(request, self.context)

    def knock(self) -> None:
        """Asks whether the caller may pass, for routes that do something slow or outside before their transaction."""
        with self.reading():
            pass

    @contextmanager
    def reading(self) -> Generator[Visit]:
        """A transaction that only reads."""
        with self.context.database.reading() as session:
            visit = self._enter(session)
            yield visit
        self._note_use(visit)

    @contextmanager
    def writing(self) -> Generator[Visit]:
        """A transaction that may write; committed at the end of the block, that is, before the answer is sent."""
        with self.context.database.writing() as session:
            visit = self._enter(session)
            yield visit
        self._note_use(visit)

    @contextmanager
    def single(self, *, writing: bool = True) -> Generator[Visit]:
        """For work that one statement decides (`Database.single`)."""
        with self.context.database.single(writing=writing) as session:
            visit = self._enter(session)
            yield visit
        self._note_use(visit)

    def _enter(self, session: Session) -> Visit:
        if self.rule.of_organization and not is_address(self.address):
            raise NotFoundError("That is not the address of any organization.", code="organization_not_found")
        visit = self._with_key(session, self._key) if self._key is not None else self._with_session(session)
        self._request.state.caller = visit.actor
        return visit

    def _with_key(self, session: Session, secret: str) -> Visit:
        holder = api_keys.identify(session, secret, self.now)
        if holder is None:
            raise UnauthenticatedError("This API key is unknown or was revoked.", code="unknown_key")
        actor = f"key:{holder.key_id}"
        if not self.rule.of_organization:
            if not holder.operator:
                raise ForbiddenError("This needs the operator's key.")
            return Visit(session, self.now, actor, Role.OPERATOR, holder)
        if holder.operator:
            organization = sessions.organization_at(session, self.address)
            return Visit(session, self.now, actor, Role.OPERATOR, holder, organization)
        if holder.organization is None or holder.organization.address != self.address:
            raise NotFoundError(f"There is no organization {self.address} for this key.", code="organization_not_found")
        if not holder.scopes & self.rule.scopes:
            needed = sorted(self.rule.scopes)
            sentence = " or ".join(needed) or "the operator's key"
            raise ForbiddenError(f"This key lacks what this needs: {sentence}.", code="missing_scope", needed=needed)
        return Visit(session, self.now, actor, None, holder, holder.organization)

    def _with_session(self, session: Session) -> Visit:
        demo = self.context.settings.demo
        identity = sessions.identify(session, self._token, self.now, demo=demo)
        if identity is None:
            raise UnauthenticatedError("This session has ended. Sign in again.")
        actor = f"user:{identity.user_id}"
        if not self.rule.of_organization:
            if not self.rule.anyone:
                sessions.authorize_operator(identity)
            role = Role.OPERATOR if identity.operator else None
            return Visit(session, self.now, actor, role, identity)
        access = sessions.authorize(session, identity, self.address, self.now, self.rule.roles)
        return Visit(session, self.now, actor, access.role, identity, access.organization)

    def _note_use(self, visit: Visit) -> None:
        """In a transaction of its own, after the other: it must neither hold up the work nor be undone with it.

        Where it would have to wait, the caller's next request makes the note.
        """
        caller = visit.caller
        with suppress(OperationalError):
            if isinstance(caller, KeyHolder) and caller.use_due:
                with self.context.database.noting() as session:
                    api_keys.note_use(session, caller, self.now)
            elif isinstance(caller, Identity) and caller.renewal_due:
                with self.context.database.noting() as session:
                    sessions.renew(session, caller, self.now)


class OrganizationDoor:
    """The dependency of a route under /organizations/{address}."""

    def __init__(self, roles: frozenset[Role], scopes: frozenset[Scope]) -> None:
        """Lets pass people with one of `roles` and keys with one of `scopes`."""
        self.rule = Rule(roles, scopes)

    async def __call__(
        self,
        request: Request,
        address: Annotated[str, Path(description="the organization's address")],
        key: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)] = None,
        _session: Annotated[str | None, Security(cookie)] = None,
    ) -> Door:
        """The closed door of this request."""
        return Door(request, self.rule, _secret(request, key), address)


class OperatorDoor:
    """The dependency of a route outside of any organization: for operators, or for `anyone` who is signed in."""

    def __init__(self, *, anyone: bool = False) -> None:
        """Lets operators pass, and signed-in people if `anyone`."""
        self.rule = Rule(frozenset(), frozenset(), of_organization=False, anyone=anyone)

    async def __call__(
        self,
        request: Request,
        key: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)] = None,
        _session: Annotated[str | None, Security(cookie)] = None,
    ) -> Door:
        """The closed door of this request."""
        return Door(request, self.rule, _secret(request, key))


def session_token(request: Request, context: Context) -> str | None:
    """The session token that the browser sent."""
    cookies = "; ".join(request.headers.getlist("cookie"))
    return token_in(cookies, secure=context.settings.secure)


def require_own_origin(request: Request, context: Context) -> None:
    """Refuses what another site makes a browser send: cookies come along with it, its origin is not ours."""
    if request.method in SAFE_METHODS:
        return
    sent = request.headers.getlist("origin")
    if len(sent) != 1 or sent[0] not in context.origins:
        raise ForbiddenError(
            f"This request does not come from {context.origin}. Open the console at that address.", code="wrong_origin"
        )


def _secret(request: Request, key: HTTPAuthorizationCredentials | None) -> str | None:
    """The key that was sent. Whoever sends an Authorization header means that, and not a cookie that is there too."""
    if key is not None:
        return key.credentials
    return "" if "authorization" in request.headers else None
