"""What an organization says about itself: checked, changed, and noted who changed it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from billing_app.domain.common.errors import ConflictError, InvalidError
from billing_app.domain.organizations.limits import Limit
from billing_app.services.common import audit, organizations, places
from billing_app.services.common.context import Context
from billing_app.services.limits import limits
from billing_app.services.purchases import endings
from billing_app.store.common import locks
from billing_app.store.organizations import tree
from billing_app.store.tables.organizations import Organization

COLOR = re.compile(r"#[0-9a-fA-F]{6}")
SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
LOGO = re.compile(r"(https?://[^\s\"'<>\\]{1,1990}|/(?!/)[A-Za-z0-9._~/%-]{1,1990})")
"""An address of an image. It is never fetched by us; pages show it as text unless it is on our own host."""

LONGEST = {"type": 100, "description": 2_000, "size": 50}

LARGEST = 10**15 - 1
"""A size as a number, at most."""

NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
"""A size that is a number and no class. It is stored as the text that it was sent as, or would be."""

FIELDS = ("name", "type", "description", "size", "color", "logo", "subdomain", "timezone", "country")
"""What an admin may change."""


def validated(changes: Mapping[str, str]) -> dict[str, str]:
    """Profile fields as they are stored. Raises InvalidError `invalid_profile` with the `field`, or `invalid_name`."""
    return {name: _validated(name, value.strip()) for name, value in changes.items()}


def number_of(size: str) -> int | str:
    """A size as it was meant: 10 where digits alone are stored, else the class ("11-50"), empty for none."""
    return int(size) if NUMBER.fullmatch(size) else size


def change(context: Context, changes: Mapping[str, str]) -> None:
    """Changes what the organization says about itself; only what is named.

    A web address is kept on every plan, and is in use where the plan includes one (`subdomain_in_use`): an
    organization says what it wants before it has a plan, and keeps it when a smaller one begins. Raises InvalidError
    `invalid_profile` or `invalid_name`, ConflictError `subdomain_taken`.
    """
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    wanted = validated(changes)
    owner = organization.pk
    now = locks.hold(session, owner, now)
    before = {name: getattr(organization, name) for name in wanted}
    try:
        with session.begin_nested():
            for name, value in wanted.items():
                setattr(organization, name, value)
            session.add(organization)
    except IntegrityError:
        raise ConflictError("Another organization has this web address.", code="subdomain_taken") from None
    audit.record(session, owner, now, actor, "organization.changed", organization.address, before=before, after=wanted)
    organizations.raise_revisions_above(session, organization)


def subdomain_in_use(context: Context) -> bool:
    """Whether the organization has a web address of its own, and the plan or an override includes one."""
    organization = context.organization
    return bool(organization.subdomain) and limits.peek(context, Limit.CUSTOM_URL).fits()


def require_same(session: Session, organization: Organization, address: str | None, parents: list[str] | None) -> None:
    """Lets what can't be changed here be sent as it is; `parents` may name the nearest one or all, nearest first.

    Raises InvalidError `read_only_field` for another address or other parents.
    """
    if address not in (None, organization.address):
        raise InvalidError(
            f"The address of an organization never changes: this one is {organization.address}.",
            code="read_only_field", field="address",
        )  # fmt: skip
    above = [each.address for each in tree.ancestors(session, organization)]
    if parents is not None and parents not in (above, above[:1]):
        raise InvalidError(
            "What an organization is a part of is changed from above: "
            "PATCH /organizations/{address}/suborganizations/{suborganization} with its `parent`.",
            code="read_only_field", field="parents",
        )  # fmt: skip


def set_active(context: Context, active: bool) -> None:
    """Deactivates an organization, which keeps its data and allows nothing more, or lets it work again."""
    session, organization, now, actor = context.session, context.organization, context.now, context.actor
    owner = organization.pk
    now = locks.hold(session, owner, now)
    if organization.active == active:
        return
    organization.active = active
    session.add(organization)
    session.flush()
    action = "organization.activated" if active else "organization.deactivated"
    audit.record(session, owner, now, actor, action, organization.address)
    endings.follow_activity(context.at(now))
    organizations.raise_revisions_above(session, organization)


def keep(context: Context, *, operator: bool) -> None:
    """It does not end after all; an operator lets one that is over work again. Raises as `endings.withdraw` does."""
    organization = context.organization
    if operator and not organization.active:
        set_active(context, True)
    else:
        endings.withdraw(context)


def _validated(name: str, value: str) -> str:
    if name == "name":
        return organizations.valid_name(value)
    if name not in FIELDS:
        raise _wrong(name, f"An organization has no field {name}.")
    if name in LONGEST and len(value) > LONGEST[name]:
        raise _wrong(name, f"`{name}` has at most {LONGEST[name]} characters.")
    breaks = "\n\t" if name == "description" else ""
    if not all(character.isprintable() or character in breaks for character in value):
        raise _wrong(name, f"`{name}` has no control characters{'' if breaks else ' or line breaks'}.")
    if not value and name != "timezone":
        return value
    if name in ("timezone", "country"):
        return places.time_zone(value) if name == "timezone" else places.country(value)
    return _patterned(name, value)


def _patterned(name: str, value: str) -> str:
    """Fields with a form of their own."""
    if name in ("subdomain", "color"):
        value = value.lower()
    patterns = {
        "color": (COLOR, "A colour is written like #0090ff."),
        "subdomain": (SUBDOMAIN, "A web address has 1 to 63 of a-z, 0-9 and hyphens, and a hyphen at neither end."),
        "logo": (LOGO, "A logo is the address of an image, https://... or a path on this server."),
    }
    if name in patterns and not patterns[name][0].fullmatch(value):
        raise _wrong(name, patterns[name][1])
    return value


def _wrong(name: str, sentence: str) -> InvalidError:
    return InvalidError(sentence, code="invalid_profile", field=name)
