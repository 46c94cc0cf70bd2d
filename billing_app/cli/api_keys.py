"""`billing api-key`: keys for programs."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlmodel import Session

from billing_app import clock, wiring
from billing_app.domain.common.access import DEFAULT_SCOPES, Scope
from billing_app.domain.common.errors import InvalidError
from billing_app.services.access import api_keys
from billing_app.services.access.views import KeyAnswer
from billing_app.services.common import organizations
from billing_app.services.common.months import rfc3339

app = typer.Typer(no_args_is_help=True)

ACTOR = "command line"
"""Who made a key, for the record."""

Address = Annotated[str, typer.Argument(help="the organization's address; left out with --operator")]
Operator = Annotated[bool, typer.Option("--operator", help="the operator's keys, which open every organization")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command()
def create(
    address: Address = "",
    name: Annotated[str, typer.Option(help="what the key is for")] = "command line",
    scope: Annotated[
        list[str] | None,
        typer.Option(help=f"may be repeated: {', '.join(Scope)}; default: {', '.join(sorted(DEFAULT_SCOPES))}"),
    ] = None,
    operator: Operator = False,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it. It is shown this once and cannot be shown again.

    Example: billing api-key create acme --name backend --scope usage:write --scope check
    """
    with wiring.database().writing() as session:
        owner = _owner(session, address, operator)
        made = api_keys.create(session, owner, name, scope or DEFAULT_SCOPES, ACTOR, clock.now())
    if as_json:
        print(json.dumps({**_item(made), "key": made.secret}, indent=1))
        return
    print(f"Keep it safe, it is not shown again. It may: {', '.join(made.scopes)}.", file=sys.stderr)
    print(made.secret)


@app.command("list")
def list_keys(address: Address = "", operator: Operator = False, as_json: AsJson = False) -> None:
    """List the keys of an organization, revoked ones too. The keys themselves are not stored.

    Example: billing api-key list acme
    """
    with wiring.database().reading() as session:
        keys = api_keys.every(session, _owner(session, address, operator))
    if as_json:
        print(json.dumps({"items": [_item(key) for key in keys]}, indent=1))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("Id", "Name", "Key", "Scopes", "Made", "Last used", "Revoked")
    for key in keys:
        item = _item(key)
        days = [(item[name] or "")[:10] for name in ("created_at", "last_used_at", "revoked_at")]
        table.add_row(item["id"], escape(key.name), key.hint, " ".join(key.scopes), *days)
    Console().print(table)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="the key's id, as `billing api-key list` shows it")],
    address: Address = "",
    operator: Operator = False,
    as_json: AsJson = False,
) -> None:
    """End a key for good, from the next request on.

    Example: billing api-key revoke 019a3c5e-7d1f-7b52-8a55-2f6c1d9be001 acme
    """
    try:
        wanted = UUID(key_id)
    except ValueError:
        raise InvalidError(f"{key_id!r} is not the id of a key.", code="invalid_id") from None
    with wiring.database().writing() as session:
        api_keys.revoke(session, _owner(session, address, operator), wanted, clock.now())
    print(json.dumps({"id": str(wanted), "revoked": True}, indent=1) if as_json else "Revoked.")


def _owner(session: Session, address: str, operator: bool) -> int | None:
    """The organization's id; None for the operator. Raises InvalidError unless exactly one is named."""
    if operator == bool(address):
        raise InvalidError("Name an organization's address, or say --operator.", code="invalid_address")
    return None if operator else organizations.by_address(session, address).id


def _item(key: KeyAnswer) -> dict[str, Any]:
    return {
        "id": str(key.id),
        "name": key.name,
        "hint": key.hint,
        "scopes": list(key.scopes),
        "operator": key.operator,
        "created_by": key.created_by,
        "created_at": rfc3339(key.created_at),
        "last_used_at": rfc3339(key.last_used_at) if key.last_used_at else None,
        "revoked_at": rfc3339(key.revoked_at) if key.revoked_at else None,
    }
