"""`billing grant`: credits given by hand, always with a reason."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated, Any

import typer

from billing_app import clock, wiring
from billing_app.cli.printing import ACTOR, AsJson, moment, number, print_done, print_items
from billing_app.domain.catalogue.quantities import format_base, format_size
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.credits import granting, statements
from billing_app.services.credits.grants import ONE_YEAR, GrantRow
from billing_app.services.credits.views_statements import GrantAnswer

app = typer.Typer(no_args_is_help=True)

Address = Annotated[str, typer.Argument(help="the organization's address")]
Why = Annotated[str, typer.Option("--reason", help="why; it is shown in the customer's ledger")]

NEVER = "never"


@app.command("list")
def list_grants(
    address: Address,
    metric: Annotated[str, typer.Option(help="of one metric only")] = "",
    as_json: AsJson = False,
) -> None:
    """List an organization's grants, the newest first, with what is left of each.

    Example: billing grant list acme --metric mau
    """
    with wiring.database().reading() as session:
        found = statements.grants(
            Context(session, organizations.by_address(session, address), clock.now()), metric=metric or None
        )
        items = [_item(each) | {"left": each.left, "burned": each.burned} for each in found]
    print_items(items, ("id", "metric", "quantity", "left", "source", "reason", "expires_at"), as_json=as_json)


@app.command()
def create(
    address: Address,
    metric: Annotated[str, typer.Argument(help="the metric's id, or token")],
    quantity: Annotated[
        int,
        number("in the metric's base unit: bytes, messages, devices", "quantity"),
    ],
    reason: Why,
    until: Annotated[str, typer.Option(help="the day on which it ends, or never; default: in one year")] = "",
    backdated: Annotated[bool, typer.Option(help="recorded late on purpose: they may have expired already")] = False,
    key: Annotated[str, typer.Option(help="the same key grants once, however often the command runs")] = "",
    as_json: AsJson = False,
) -> None:
    """Give an organization credits for nothing.

    Example: billing grant create acme mau 5000 --reason "an outage on our side"
    """
    now = clock.now()
    ends: datetime | str | None = None if until == NEVER else moment(until) or ONE_YEAR
    with wiring.database().writing() as session:
        organization = organizations.by_address(session, address)
        given = granting.give(
            Context(session, organization, now, ACTOR),
            metric,
            quantity,
            reason=reason,
            key=f"cli {key or secrets.token_hex(16)}",
            expires_at=ends,
            backdated=backdated,
        )
        known = versions.current(session, now).metric(metric)
    said = format_base(quantity, known) if known.counts else format_size(quantity, known)
    print_done(_item(given), f"Gave {address} {said} ({given.id}).", as_json=as_json)


@app.command()
def void(
    grant: Annotated[str, typer.Argument(help="the grant's id, as `billing grant list` shows it")],
    reason: Why,
    as_json: AsJson = False,
) -> None:
    """Forfeit what is left of a grant, never what was burned.

    Example: billing grant void gr_5f0c81a2 --reason "given to the wrong organization"
    """
    with wiring.database().writing() as session:
        organization, voided = granting.void(session, grant, clock.now(), reason=reason, actor=ACTOR)
    print_done(_item(voided), f"Voided what was left of {grant} of {organization.address}.", as_json=as_json)


def _item(row: GrantRow | GrantAnswer) -> dict[str, Any]:
    names = ("id", "metric", "quantity", "source", "reason", "paid_cents", "effective_at", "expires_at")
    return {name: getattr(row, name) for name in names}
