"""Access: who may call a route, and the one transaction in which that is asked and the work is done.

A route declares its rule as a dependency and gets an Access. It opens `access.reading()` or `access.writing()` once;
inside, the caller has been identified, found to be allowed and located in an organization, in the same transaction as
the work. There is no other way to a database session, so a route cannot forget to ask. The transaction ends before the
answer is made, in the thread of the route: dependencies that hold one across threads would lock up under load.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Annotated, Generic, TypeVar

from fastapi import Path, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from billing_app.api.common.process import Application, application_of
from billing_app.domain.common.access import Role, Scope, is_address
from billing_app.domain.common.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from billing_app.services.access import api_keys, sessions
from billing_app.services.access.api_keys import KeyHolder
from billing_app.services.access.cookies import NAME, token_in
from billing_app.services.access.sessions import Identity
from billing_app.services.common.context import Context, OperatorContext

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

bearer = HTTPBearer(auto_error=False, scheme_name="key", description="An API key: bk_live_...")
cookie = APIKeyCookie(name=NAME, auto_error=False, scheme_name="session", description="A signed-in browser's session")


@dataclass(frozen=True, slots=True)
class Rule:
    """Who passes: signed-in people with one of `roles` (operators always), keys with one of `scopes`.

    Outside of any organization operators pass, and signed-in people too if `anyone`.
    """

    roles: frozenset[Role]
    scopes: frozenset[Scope]
    anyone: bool = False


@dataclass(frozen=True, slots=True)
class RequestContext(Context):
    """A request of a person or a program in an organization. Operators and programs have no role of a member."""

    role: Role | None = field(kw_only=True)
    caller: Identity | KeyHolder = field(kw_only=True)

    @property
    def who(self) -> str:
        """The caller as the audit log names them: a person by e-mail address, a program by its key."""
        return name_of(self.caller, self.actor)

    @property
    def organization_id(self) -> int:
        """The organization's id."""
        return self.organization.pk


@dataclass(frozen=True, slots=True)
class OutsideContext(OperatorContext):
    """A request outside of any organization: an operator's, or anybody's where the rule says so."""

    role: Role | None
    caller: Identity | KeyHolder

    @property
    def who(self) -> str:
        """The caller as the audit log names them."""
        return name_of(self.caller, self.actor)


def name_of(caller: Identity | KeyHolder, actor: str) -> str:
    """A person by e-mail address, a program by its key."""
    return caller.email if isinstance(caller, Identity) else actor


AnyContext = TypeVar("AnyContext", RequestContext, OutsideContext)


class Access(ABC, Generic[AnyContext]):
    """One request before a rule. `reading`, `writing` and `single` each ask anew and open a transaction."""

    def __init__(self, request: Request, rule: Rule, key: str | None) -> None:
        """Notes what was sent, and refuses at once what needs no database to be refused."""
        self.application: Application = application_of(request)
        self.rule = rule
        self.now = self.application.clock()
        self._request = request
        self._key = key
        self._token = None if key is not None else session_token(request, self.application)
        if key is None and self._token is None:
            raise UnauthenticatedError("Send an API key (Authorization: Bearer bk_live_...), or sign in.")
        if key is None:
            require_own_origin(request, self.application)

    def check(self) -> None:
        """Asks whether the caller may pass, for routes that do something slow or outside before their transaction."""
        with self.reading():
            pass

    @contextmanager
    def reading(self) -> Generator[AnyContext]:
        """A transaction that only reads."""
        with self.application.database.reading() as session:
            context = self._enter(session)
            yield context
        self._note_use(context.caller)

    @contextmanager
    def writing(self) -> Generator[AnyContext]:
        """A transaction that may write; committed at the end of the block, that is, before the answer is sent."""
        with self.application.database.writing() as session:
            context = self._enter(session)
            yield context
        self._note_use(context.caller)

    @contextmanager
    def single(self, *, writing: bool = True) -> Generator[AnyContext]:
        """For work that one statement decides (`Database.single`)."""
        with self.application.database.single(writing=writing) as session:
            context = self._enter(session)
            yield context
        self._note_use(context.caller)

    def _enter(self, session: Session) -> AnyContext:
        caller = self._caller(session)
        actor = f"key:{caller.key_id}" if isinstance(caller, KeyHolder) else f"user:{caller.user_id}"
        context = self._allowed(session, caller, actor)
        self._request.state.caller = actor
        return context

    def _caller(self, session: Session) -> Identity | KeyHolder:
        if self._key is not None:
            holder = api_keys.identify(session, self._key, self.now)
            if holder is None:
                raise UnauthenticatedError("This API key is unknown or was revoked.", code="unknown_key")
            return holder
        identity = sessions.identify(session, self._token, self.now, demo=self.application.settings.demo)
        if identity is None:
            raise UnauthenticatedError("This session has ended. Sign in again.")
        return identity

    @abstractmethod
    def _allowed(self, session: Session, caller: Identity | KeyHolder, actor: str) -> AnyContext:
        """The context of a caller who may pass. Raises ForbiddenError or NotFoundError."""

    def _note_use(self, caller: Identity | KeyHolder) -> None:
        """In a transaction of its own, after the other: it must neither hold up the work nor be undone with it.

        Where it would have to wait, the caller's next request makes the note.
        """
        with suppress(OperationalError):
            if isinstance(caller, KeyHolder) and caller.use_due:
                with self.application.database.noting() as session:
                    api_keys.note_use(session, caller, self.now)
            elif isinstance(caller, Identity) and caller.renewal_due:
                with self.application.database.noting() as session:
                    sessions.renew(session, caller, self.now)


class OrganizationAccess(Access[RequestContext]):
    """A request about one organization, by its address."""

    def __init__(self, request: Request, rule: Rule, key: str | None, address: str) -> None:
        """Notes what was sent."""
        super().__init__(request, rule, key)
        self.address = address

    def _enter(self, session: Session) -> RequestContext:
        if not is_address(self.address):
            raise NotFoundError("That is not the address of any organization.", code="organization_not_found")
        return super()._enter(session)

    def _allowed(self, session: Session, caller: Identity | KeyHolder, actor: str) -> RequestContext:
        if isinstance(caller, Identity):
            found = sessions.authorize(session, caller, self.address, self.now, self.rule.roles)
            return RequestContext(session, found.organization, self.now, actor, role=found.role, caller=caller)
        if caller.operator:
            organization = sessions.organization_at(session, self.address)
            return RequestContext(session, organization, self.now, actor, role=Role.OPERATOR, caller=caller)
        if caller.organization is None or caller.organization.address != self.address:
            raise NotFoundError(f"There is no organization {self.address} for this key.", code="organization_not_found")
        if not caller.scopes & self.rule.scopes:
            needed = sorted(self.rule.scopes)
            sentence = " or ".join(needed) or "the operator's key"
            raise ForbiddenError(f"This key lacks what this needs: {sentence}.", code="missing_scope", needed=needed)
        return RequestContext(session, caller.organization, self.now, actor, role=None, caller=caller)


class OutsideAccess(Access[OutsideContext]):
    """A request outside of any organization."""

    def _allowed(self, session: Session, caller: Identity | KeyHolder, actor: str) -> OutsideContext:
        if isinstance(caller, KeyHolder):
            if not caller.operator:
                raise ForbiddenError("This needs the operator's key.")
            return OutsideContext(session, self.now, actor, Role.OPERATOR, caller)
        if not self.rule.anyone:
            sessions.authorize_operator(caller)
        return OutsideContext(session, self.now, actor, Role.OPERATOR if caller.operator else None, caller)


class RequireOrganization:
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
    ) -> OrganizationAccess:
        """What this request may ask for."""
        return OrganizationAccess(request, self.rule, _secret(request, key), address)


class RequireOperator:
    """The dependency of a route outside of any organization: for operators, or for `anyone` who is signed in."""

    def __init__(self, *, anyone: bool = False) -> None:
        """Lets operators pass, and signed-in people if `anyone`."""
        self.rule = Rule(frozenset(), frozenset(), anyone=anyone)

    async def __call__(
        self,
        request: Request,
        key: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)] = None,
        _session: Annotated[str | None, Security(cookie)] = None,
    ) -> OutsideAccess:
        """What this request may ask for."""
        return OutsideAccess(request, self.rule, _secret(request, key))


def session_token(request: Request, application: Application) -> str | None:
    """The session token that the browser sent."""
    cookies = "; ".join(request.headers.getlist("cookie"))
    return token_in(cookies, secure=application.settings.secure)


def require_own_origin(request: Request, application: Application) -> None:
    """Refuses what another site makes a browser send: cookies come along with it, its origin is not ours."""
    if request.method in SAFE_METHODS:
        return
    sent = request.headers.getlist("origin")
    if len(sent) != 1 or sent[0] not in application.origins:
        raise ForbiddenError(
            f"This request does not come from {application.origin}. Open the console at that address.",
            code="wrong_origin",
        )


def _secret(request: Request, key: HTTPAuthorizationCredentials | None) -> str | None:
    """The key that was sent. Whoever sends an Authorization header means that, and not a cookie that is there too."""
    if key is not None:
        return key.credentials
    return "" if "authorization" in request.headers else None
