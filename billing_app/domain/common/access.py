"""Who may do what: the roles of people, the scopes of keys, and what a safe local path is."""

from __future__ import annotations

import re
from enum import StrEnum

from billing_app.domain.common.errors import InvalidError

ADDRESS = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
"""An organization's address (api.md). `.` and `..` are refused besides: browsers fold them out of a URL."""

MAX_LOCAL_PATH = 2_000
"""Longer than any page of ours; a redirect target is not a place to store things."""


class Role(StrEnum):
    """What a person is in one organization. `operator` is a flag of the person and holds everywhere."""

    ADMIN = "admin"
    BILLING = "billing"
    MEMBER = "member"
    OPERATOR = "operator"


def role_in(text: str) -> Role:
    """A role that somebody is given. Raises InvalidError `invalid_role` for a word that is none."""
    try:
        return Role(text)
    except ValueError:
        raise InvalidError("A member's role is admin, billing or member.", code="invalid_role") from None


ALL_ROLES = frozenset({Role.ADMIN, Role.BILLING, Role.MEMBER})
"""Every member of the organization."""

MONEY_ROLES = frozenset({Role.ADMIN, Role.BILLING})
"""Who may buy and read the ledger."""

ADMIN_ROLES = frozenset({Role.ADMIN})
"""Who may change the organization, its members and keys."""

NO_ROLES: frozenset[Role] = frozenset()
"""Nobody but an operator."""


class Scope(StrEnum):
    """What an API key may do. A key has exactly the scopes it was made with; a route says which of them open it."""

    USAGE_WRITE = "usage:write"
    CHECK = "check"
    READ = "read"
    BILLING = "billing"
    ADMIN = "admin"


READ_SCOPES = frozenset({Scope.READ, Scope.BILLING, Scope.ADMIN})
"""What opens balances, grants, ledger and history: `read`, and the two whose roles see them on the pages."""

DEFAULT_SCOPES = frozenset({Scope.USAGE_WRITE, Scope.CHECK, Scope.READ})
"""What a SaaS product needs to report usage and to ask; nothing that spends money or manages people."""


def is_address(text: str) -> bool:
    """Whether `text` can be the address of an organization."""
    return ADDRESS.fullmatch(text) is not None and text not in {".", ".."}


def local_path(target: str | None, default: str = "/") -> str:
    """`target` if a browser sent there certainly stays on this site, else `default`.

    A browser drops tabs and newlines inside a URL and takes `\\` for `/`: `/\\evil.example` and `/<tab>/evil.example`
    lead away just as `//evil.example` does. Only plain visible ASCII that begins with one slash is let through.
    """
    if not target or len(target) > MAX_LOCAL_PATH or not target.startswith("/") or target.startswith("//"):
        return default
    if "\\" in target or not all(33 <= ord(character) <= 126 for character in target):
        return default
    return target


MIN_PASSWORD = 12
"""Characters. Length is what makes guessing dear; rules about digits and signs only make passwords forgettable."""
