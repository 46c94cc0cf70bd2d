"""`billing user`: people who sign in."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Annotated, Any

import typer
from sqlmodel import Session

from billing_app import clock, wiring
from billing_app.domain.common.access import Role
from billing_app.domain.common.errors import InvalidError
from billing_app.services.access import one_time_links, passwords, users
from billing_app.services.access.one_time_links import LASTS
from billing_app.services.access.views import Kind
from billing_app.services.common import organizations as orgs
from billing_app.services.common.months import rfc3339
from billing_app.settings import settings

app = typer.Typer(no_args_is_help=True)

PAGE = 500
"""People read at once."""

Email = Annotated[str, typer.Argument(help="the person's e-mail address")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command()
def create(
    email: Email,
    name: Annotated[str, typer.Option(help="how the person is called; default: the e-mail address")] = "",
    operator: Annotated[bool, typer.Option("--operator", help="may do everything, in every organization")] = False,
    organization: Annotated[str, typer.Option(help="address of an organization to join")] = "",
    role: Annotated[str, typer.Option(help="role in it: admin, billing or member")] = Role.MEMBER,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="read the password from standard input, not make a link")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a person known; prints a link by which that person chooses a password.

    Example: billing user create ada@example.org --name Ada --organization acme --role admin
    """
    now = clock.now()
    password_hash = passwords.hashed(sys.stdin.readline().rstrip("\r\n")) if password_stdin else None
    with wiring.database().writing() as session:
        user = users.create(session, email, name or email, now, password_hash=password_hash, operator=operator)
        if organization:
            _join(session, organization, user.email, role, now)
        token = None if password_stdin else one_time_links.reset_link(session, user.email, now)
        made = {"email": user.email, "name": user.name, "operator": user.operator}
    _print_link(made, token, as_json, f"{made['email']} can sign in now.")


@app.command("reset-password")
def reset_password(email: Email, as_json: AsJson = False) -> None:
    """Print a link by which a person chooses a new password. It works once, for an hour.

    Example: billing user reset-password ada@example.org
    """
    with wiring.database().writing() as session:
        token = one_time_links.reset_link(session, email, clock.now())
    _print_link({"email": email}, token, as_json, "")


@app.command("list")
def list_users(as_json: AsJson = False) -> None:
    """List the people who can sign in, with their organizations and roles.

    Example: billing user list --json
    """
    items: list[dict[str, Any]] = []
    with wiring.database().reading() as session:
        for user, organizations in users.every(session, PAGE):
            items.append(
                {
                    "email": user.email,
                    "name": user.name,
                    "operator": user.operator,
                    "demo": user.demo,
                    "has_password": user.password_hash is not None,
                    "organizations": organizations,
                    "created_at": rfc3339(user.created_at),
                }
            )
    if as_json:
        print(json.dumps({"items": items}, indent=1))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("E-mail", "Name", "Role", "Since")
    for item in items:
        roles = [f"{address}: {role}" for address, role in item["organizations"].items()]
        shown = ", ".join((["operator"] if item["operator"] else []) + roles)
        table.add_row(escape(item["email"]), escape(item["name"]), escape(shown), item["created_at"][:10])
    Console().print(table)


def _join(session: Session, address: str, email: str, role: str, now: datetime) -> None:
    if role not in set(Role) - {Role.OPERATOR}:
        raise InvalidError("A role is admin, billing or member.", code="invalid_role")
    organization = orgs.by_address(session, address)
    users.join(session, organization.id or 0, users.by_email(session, email), Role(role), now)


def _print_link(about: dict[str, Any], token: str | None, as_json: bool, otherwise: str) -> None:
    """The link on standard output; what it is for on standard error, so that a script gets the link alone."""
    link = None if token is None else settings().public_url.rstrip("/") + one_time_links.path(Kind.NEW_PASSWORD, token)
    if as_json:
        print(json.dumps({**about, "link": link}, indent=1))
    elif link is None:
        print(otherwise)
    else:
        minutes = int(LASTS[Kind.NEW_PASSWORD].total_seconds() // 60)
        print(f"Whoever opens this within {minutes} minutes chooses the password:", file=sys.stderr)
        print(link)
