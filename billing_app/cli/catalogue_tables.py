"""The catalogue as tables in a terminal: plans as a matrix, packs by metric, token rates."""

from __future__ import annotations

from collections.abc import Callable

from rich import box
from rich.markup import escape
from rich.table import Table

from billing_app.domain.catalogue import Catalog, Pack, Plan, VotingType
from billing_app.domain.catalogue.quantities import format_allowance, format_price_unit, format_size
from billing_app.domain.common.money import format_money, format_unit_price

YES, NO = "yes", "·"


def plans_table(catalog: Catalog) -> Table:
    """A column for each plan, a row for each thing that plans differ in."""
    table = Table(title="Plans", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("")
    for plan in catalog.plans:
        table.add_column(escape(plan.name) + (" (retired)" if plan.retired else ""), justify="right")
    sections: list[list[tuple[str, Callable[[Plan], str]]]] = [
        [
            ("id", lambda plan: plan.id),
            ("per month", lambda plan: _price(plan.prices.month_cents, catalog.currency)),
            ("per year", lambda plan: _price(plan.prices.year_cents, catalog.currency)),
            ("trial days", lambda plan: str(plan.trial_days or NO)),
            ("default", lambda plan: _switch(plan.default)),
            ("public", lambda plan: _switch(plan.public)),
        ],
        [(metric.name, _included(catalog, metric.id)) for metric in catalog.metrics],
        [
            ("memberships", lambda plan: _limit(plan.limits.memberships)),
            ("sub-organizations", lambda plan: _limit(plan.limits.sub_orgs)),
            ("processes", lambda plan: _limit(plan.limits.max_processes)),
            ("census size", lambda plan: _limit(plan.limits.max_census_size)),
            ("drafts", lambda plan: _limit(plan.limits.drafts)),
            ("own URL", lambda plan: _switch(plan.limits.custom_url)),
        ],
        [(f"{voting_type} voting", _votes(voting_type)) for voting_type in VotingType],
        [(feature.name, _has(feature.id)) for feature in catalog.features],
    ]
    for rows in sections:
        for name, cell in rows:
            table.add_row(escape(name), *(cell(plan) for plan in catalog.plans))
        table.add_section()
    return table


def packs_table(catalog: Catalog) -> Table:
    """Every pack, metric by metric, smallest first."""
    table = Table(title="Packs", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("id", no_wrap=True)
    for heading in ("holds", "price", "unit price"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("paid")
    for metric_id in dict.fromkeys(pack.metric for pack in catalog.packs):
        table.add_row(f"[bold]{escape(catalog.metric(metric_id).name)}[/bold]")
        packs = [pack for pack in catalog.packs if pack.metric == metric_id]
        for pack in sorted(packs, key=lambda pack: (pack.recurring, pack.quantity)):
            table.add_row(*_pack_cells(pack, catalog))
        table.add_section()
    return table


def rates_table(catalog: Catalog) -> Table:
    """What tokens become."""
    table = Table(title="Token rates", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("metric")
    table.add_column("tokens", justify="right")
    table.add_column("become", justify="right")
    for rate in catalog.token_rates:
        metric = catalog.metric(rate.metric)
        table.add_row(escape(metric.name), str(rate.tokens), format_size(rate.quantity, metric))
    return table


def _pack_cells(pack: Pack, catalog: Catalog) -> tuple[str, ...]:
    metric = catalog.metric(pack.metric)
    unit_price = format_unit_price(pack.price_cents, pack.quantity, metric.price_per * metric.factor, catalog.currency)
    paid = "every month" if pack.recurring else "once"
    remarks = [remark for remark, given in (("retired", pack.retired), ("not public", not pack.public)) if given]
    return (
        pack.id,
        format_size(pack.quantity, metric),
        format_money(pack.price_cents, catalog.currency),
        f"{unit_price} {format_price_unit(metric)}",
        ", ".join([paid, *remarks]),
    )


def _included(catalog: Catalog, metric_id: str) -> Callable[[Plan], str]:
    metric = catalog.metric(metric_id)
    return lambda plan: format_allowance(plan.allowance(metric_id), metric)


def _votes(voting_type: VotingType) -> Callable[[Plan], str]:
    return lambda plan: _switch(voting_type in plan.voting_types)


def _has(feature_id: str) -> Callable[[Plan], str]:
    return lambda plan: _switch(feature_id in plan.features)


def _price(cents: int | None, currency: str) -> str:
    return NO if cents is None else format_money(cents, currency)


def _limit(limit: int | None) -> str:
    return "unlimited" if limit is None else f"{limit:,}"


def _switch(on: bool) -> str:
    return YES if on else NO
