"""`billing member`: who belongs to an organization."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlmodel import Session

from billing_app import clock, wiring
from billing_app.cli.printing import ACTOR, AsJson, print_done, print_items
from billing_app.domain.common.access import ALL_ROLES, Role
from billing_app.domain.common.errors import InvalidError, NotFoundError
from billing_app.services.access import members
from billing_app.services.access.views import MemberAnswer
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.common.organizations import Organization
from billing_app.settings import settings

app = typer.Typer(no_args_is_help=True)

Address = Annotated[str, typer.Argument(help="the organization's address")]
Email = Annotated[str, typer.Argument(help="the person's e-mail address")]
InRole = Annotated[str, typer.Option("--role", help="admin, billing or member")]


@app.command("list")
def list_members(address: Address, as_json: AsJson = False) -> None:
    """List members and those invited.

    Example: billing member list acme
    """
    with wiring.database().reading() as session:
        items = [_item(each) for each in members.every(session, organizations.by_address(session, address))]
    print_items(items, ("email", "name", "role", "since", "accepted_at"), as_json=as_json)


@app.command()
def invite(address: Address, email: Email, role: InRole = Role.MEMBER, as_json: AsJson = False) -> None:
    """Invite a person and print the link that lets them in; with mail set up they are sent it, too.

    Inviting again makes a new link.

    Example: billing member invite acme ada@example.org --role admin
    """
    with wiring.database().writing() as session:
        organization = organizations.by_address(session, address)
        made = members.invite(Context(session, organization, clock.now(), ACTOR), email, _role(role))
        name = organization.name
    link = settings().public_url.rstrip("/") + made.path
    mailed = members.mail(settings(), made, name, "The operator")
    done = {**_item(made.member), "link": link, "expires_at": made.expires_at, "mailed": mailed}
    print_done(done, link, as_json=as_json)


@app.command("set-role")
def set_role(
    address: Address,
    email: Email,
    role: Annotated[str, typer.Argument(help="admin, billing or member")],
    as_json: AsJson = False,
) -> None:
    """Give a member another role, from the next click on.

    Example: billing member set-role acme ada@example.org billing
    """
    with wiring.database().writing() as session:
        organization = organizations.by_address(session, address)
        found = _member(session, organization, email)
        changed = members.change_role(Context(session, organization, clock.now(), ACTOR), found.id, _role(role))
    print_done(_item(changed), f"{email} is {role} of {address}.", as_json=as_json)


@app.command()
def remove(address: Address, email: Email, as_json: AsJson = False) -> None:
    """End a membership, or take an invitation back.

    Example: billing member remove acme ada@example.org
    """
    with wiring.database().writing() as session:
        organization = organizations.by_address(session, address)
        found = _member(session, organization, email)
        members.remove(Context(session, organization, clock.now(), ACTOR), found.id)
    print_done(_item(found), f"{email} is no longer a member of {address}.", as_json=as_json)


def _member(session: Session, organization: Organization, email: str) -> MemberAnswer:
    for each in members.every(session, organization):
        if each.email == email.strip().lower():
            return each
    raise NotFoundError(f"{email} is not a member of {organization.address}.", code="member_not_found")


def _role(text: str) -> Role:
    if text not in ALL_ROLES:
        raise InvalidError("A role is admin, billing or member.", code="invalid_role")
    return Role(text)


def _item(member: MemberAnswer) -> dict[str, Any]:
    names = ("id", "email", "name", "role", "since", "accepted_at")
    return {name: getattr(member, name) for name in names}
