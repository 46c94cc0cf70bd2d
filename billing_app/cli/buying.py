"""`billing pack` and `billing top-up`: what is sold, and what is bought again by itself."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from billing_app import clock, wiring
from billing_app.cli.printing import ACTOR, AsJson, print_done, print_items
from billing_app.domain.common.errors import NotFoundError
from billing_app.services.catalogue import versions
from billing_app.services.common import organizations
from billing_app.services.common.context import Context
from billing_app.services.purchases import top_ups
from billing_app.services.purchases.top_ups import TopUp, Wanted
from billing_app.services.subscriptions import recurring_packs

packs = typer.Typer(no_args_is_help=True)
top_up = typer.Typer(no_args_is_help=True)

Address = Annotated[str, typer.Argument(help="the organization's address")]
Metric = Annotated[str, typer.Argument(help="the metric's id")]


@packs.command("list")
def list_packs(metric: Annotated[str, typer.Option(help="of this metric only")] = "", as_json: AsJson = False) -> None:
    """List the packs that are sold.

    Example: billing pack list --metric mau
    """
    with wiring.database().reading() as session:
        current = versions.current(session, clock.now())
    items = [
        {"id": pack.id, "metric": pack.metric, "quantity": pack.quantity, "price_cents": pack.price_cents,
         "currency": current.currency, "interval": pack.interval.value}
        for pack in current.packs
        if pack.offered and metric in ("", pack.metric)
    ]  # fmt: skip
    print_items(items, ("id", "metric", "quantity", "price_cents", "currency", "interval"), as_json=as_json)


@packs.command()
def renewing(address: Address, as_json: AsJson = False) -> None:
    """List an organization's packs that renew every month.

    Example: billing pack renewing acme
    """
    with wiring.database().reading() as session:
        rows = recurring_packs.listed(session, organizations.by_address(session, address))
    names = ("id", "pack", "metric", "count", "next_count", "renews_at", "state")
    print_items([{name: getattr(row, name) for name in names} for row in rows], names, as_json=as_json)


@top_up.command("list")
def list_top_ups(address: Address, as_json: AsJson = False) -> None:
    """List an organization's auto top-ups, one for each metric.

    Example: billing top-up list acme
    """
    with wiring.database().reading() as session:
        found, now = organizations.by_address(session, address), clock.now()
        items = [
            _item(top_ups.top_up(Context(session, found, now), each.id))
            for each in versions.current(session, now).metrics
        ]
    columns = ("metric", "state", "threshold", "pack", "count", "cap_cents", "paid_this_month_cents", "failure")
    print_items(items, columns, as_json=as_json)


@top_up.command()
def stop(address: Address, metric: Metric, as_json: AsJson = False) -> None:
    """Turn an auto top-up off. Only somebody of the organization, who agrees to being charged, can turn it on.

    Example: billing top-up stop acme mau
    """
    with wiring.database().writing() as session:
        found, now = organizations.by_address(session, address), clock.now()
        row = top_ups.top_up(Context(session, found, now), metric).row
        if row is None:
            raise NotFoundError(f"{address} has no auto top-up of {metric}.", code="top_up_not_found")
        wanted = Wanted(False, row.threshold, row.pack, row.count, row.cap_cents)
        done = top_ups.put(Context(session, found, now, ACTOR), metric, wanted)
    print_done(_item(done), f"The auto top-up of {metric} is off.", as_json=as_json)


def _item(found: TopUp) -> dict[str, Any]:
    row = found.row
    return {
        "metric": found.metric.id,
        "state": found.state.value,
        "threshold": row.threshold if row else None,
        "pack": row.pack if row else None,
        "count": row.count if row else None,
        "cap_cents": row.cap_cents if row else None,
        "paid_this_month_cents": found.paid_cents,
        "failure": row.failure if row else "",
    }
