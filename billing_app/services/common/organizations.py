"""Organizations: making them, finding them, and telling open pages that they changed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from billing_app.domain.common.access import is_address
from billing_app.domain.common.errors import ConflictError, InvalidError, NotFoundError
from billing_app.store.organizations import organizations as store
from billing_app.store.organizations import tree
from billing_app.store.tables.organizations import Organization

MAX_NAME = 200
"""Characters of an organization's name."""

GENERATED_BYTES = 20
"""Random bytes of a generated address: the length of an Ethereum address, which callers of this kind already store."""


def create(
    session: Session,
    now: datetime,
    *,
    name: str = "",
    address: str | None = None,
    anchor: datetime | None = None,
    **profile: str,
) -> Organization:
    """A new organization without a plan. Without a `name` its address is its name. `anchor` fixes its periods; without
    one they begin now.

    `profile` may set type, description, size, color, logo, subdomain, timezone and country. Raises InvalidError
    `invalid_address` or `invalid_name`, ConflictError `address_taken`: an address is never given twice, nor
    one that differs in case alone. It is found only as it is written. ConflictError `subdomain_taken`.
    """
    chosen = address if address is not None else f"0x{secrets.token_hex(GENERATED_BYTES)}"
    if not is_address(chosen):
        raise InvalidError(
            "An address has 1 to 64 of the characters A-Z, a-z, 0-9, dot, underscore and hyphen.",
            code="invalid_address",
        )
    title = valid_name(name) if name else chosen
    organization = Organization(address=chosen, name=title, anchor=anchor or now, created_at=now, **profile)
    try:
        with session.begin_nested():
            stored = store.insert(session, organization)
    except IntegrityError:
        raise ConflictError("Another organization has this web address.", code="subdomain_taken") from None
    if stored is None:
        raise ConflictError(
            f"The address {chosen} belongs to another organization; A and a are the same here.", code="address_taken"
        )
    return stored


def valid_name(name: str) -> str:
    """The name as it is stored. Raises InvalidError `invalid_name`."""
    title = name.strip()
    if not title or len(title) > MAX_NAME or not title.isprintable():
        raise InvalidError(f"A name has 1 to {MAX_NAME} visible characters.", code="invalid_name")
    return title


def by_address(session: Session, address: str) -> Organization:
    """The organization at `address`. Raises NotFoundError `organization_not_found`."""
    organization = store.by_address(session, address)
    if organization is None:
        raise not_found(address)
    return organization


def by_addresses(session: Session, addresses: Sequence[str]) -> dict[str, Organization]:
    """Those of the organizations at these addresses that there are."""
    return {organization.address: organization for organization in store.by_addresses(session, addresses)}


def not_found(address: str) -> NotFoundError:
    """What is said of an address at which there is no organization."""
    return NotFoundError(f"There is no organization {address}.", code="organization_not_found")


def by_id(session: Session, organization_id: int) -> Organization:
    """The organization with this id. Raises NotFoundError `organization_not_found`."""
    organization = store.by_id(session, organization_id)
    if organization is None:
        raise NotFoundError("There is no such organization.", code="organization_not_found")
    return organization


def raise_revision(session: Session, organization_id: int) -> None:
    """Tells open pages that what they show has changed. Call it in the transaction that changes it."""
    store.raise_revision(session, organization_id)


def raise_revisions_above(session: Session, *organizations: Organization) -> None:
    """The same of what is listed on the pages of all that these are a part of: names, members, plans."""
    shown = {each.pk for one in organizations for each in (one, *tree.ancestors(session, one))}
    store.raise_revisions(session, sorted(shown))


def revisions(session: Session, organization_ids: list[int]) -> dict[int, int]:
    """The revisions of these organizations, in one query: what the watcher of open pages reads."""
    return store.revisions(session, organization_ids) if organization_ids else {}


def revisions_by_address(session: Session, addresses: list[str]) -> dict[str, int]:
    """The revisions of the organizations at these addresses, in one query."""
    return store.revisions_by_address(session, addresses) if addresses else {}
