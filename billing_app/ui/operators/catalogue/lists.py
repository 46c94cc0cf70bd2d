"""The catalogue editor's lists, an item in each row: packs, features, actions, token rates, and what holds for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from billing_app.domain.catalogue import TOKEN_ID, Interval
from billing_app.domain.common.money import CURRENCIES
from billing_app.ui.kit.values import Kind, Spec
from billing_app.ui.operators.catalogue.grids import (
    FLAG,
    LONG,
    NUMBER,
    STILL,
    TEXT,
    Column,
    Document,
    Grid,
    Group,
    Line,
    Path,
    Place,
    items,
    metrics_grid,
    one_of,
    places_in,
    plans_grid,
    quantity,
    unit,
)

Cell = tuple[str, Path, Spec]
"""Title, place within the item, kind."""


def packs_grid(draft: Document, base: Document) -> Grid:
    """Packs, metric by metric."""
    metrics = _metrics(draft)
    known = (*metrics, TOKEN_ID)
    currency = str(draft.get("currency", "usd"))

    def cells(pack: Mapping[str, Any]) -> list[Cell]:
        return [
            ("Metric", ("metric",), one_of(*known)),
            ("Holds", ("quantity",), quantity(metrics.get(str(pack.get("metric")), {}), Kind.NUMBER)),
            (f"Price, {currency.upper()}", ("price_cents",), Spec(Kind.MONEY, currency=currency)),
            ("Paid", ("interval",), one_of(*(each.value for each in Interval))),
            ("Public", ("public",), FLAG),
            ("Retired", ("retired",), FLAG),
        ]

    packs = items(draft, "packs")
    lines = _rows(draft, base, "packs", [cells(pack) for pack in packs])
    held = [str(pack.get("metric")) for pack in packs]
    hints = [unit(metrics.get(metric, {})) for metric in held]
    lines = [replace(line, hint=hint) for line, hint in zip(lines, hints, strict=True)]
    groups = [
        Group(
            str(metrics[name].get("name")) if name in metrics else "Tokens" if name == TOKEN_ID else name,
            tuple(line for line, metric in zip(lines, held, strict=True) if metric == name),
        )
        for name in dict.fromkeys((*known, *held))
    ]
    return Grid(_titles(cells({})), tuple(group for group in groups if group.lines))


def features_grid(draft: Document, base: Document) -> Grid:
    """What a plan has or has not."""
    cells: list[Cell] = [("Name", ("name",), TEXT), ("Description", ("description",), LONG)]
    return _list(draft, base, "features", cells)


def actions_grid(draft: Document, base: Document) -> Grid:
    """Which metrics each action needs."""
    needs = [(str(each.get("name")), ("metrics", str(name)), FLAG) for name, each in _metrics(draft).items()]
    return _list(draft, base, "actions", [("Name", ("name",), TEXT), *needs])


def rates_grid(draft: Document, base: Document) -> Grid:
    """What tokens become."""
    metrics = _metrics(draft)
    lines = []
    known = places_in(draft, base, "token_rates", "metric")
    for at, (rate, there) in enumerate(zip(items(draft, "token_rates"), known, strict=True)):
        metric = metrics.get(str(rate.get("metric")), {})
        name = str(metric.get("name", rate.get("metric")))
        specs = (
            ("metric", STILL if there else one_of(*metrics)),
            ("tokens", NUMBER),
            ("quantity", quantity(metric, Kind.NUMBER)),
        )
        cells = tuple(
            Place(("token_rates", at, key), there and (*there, key), spec, f"{key} of {name}") for key, spec in specs
        )
        lines.append(Line(name, unit(metric), cells, ("token_rates", at)))
    return Grid((Column("Metric"), Column("Tokens"), Column("become")), (Group("", tuple(lines)),))


def general_grid(_draft: Document, _base: Document) -> Grid:
    """What holds for the whole catalogue."""
    lines = (
        Line("Currency", "of every price", (Place(("currency",), ("currency",), CURRENCY, "Currency"),)),
        Line(
            "Days of grace",
            "the plan stays after a failed payment",
            (Place(("grace_days",), ("grace_days",), NUMBER, "Days of grace"),),
        ),
    )
    return Grid((Column("Value"),), (Group("", lines),))


CURRENCY = one_of(*sorted(CURRENCIES))

GRIDS = {
    "plans": plans_grid,
    "packs": packs_grid,
    "metrics": metrics_grid,
    "features": features_grid,
    "actions": actions_grid,
    "rates": rates_grid,
    "general": general_grid,
}
"""The editor's tables by their names: together they have a cell for everything that plans.json says."""


def _metrics(draft: Document) -> dict[str, Mapping[str, Any]]:
    return {str(each.get("id")): each for each in items(draft, "metrics")}


def _list(draft: Document, base: Document, key: str, cells: list[Cell]) -> Grid:
    """Items that all have the same cells, in an order that means something."""
    lines = _rows(draft, base, key, [cells] * len(items(draft, key)))
    return Grid(_titles(cells), (Group("", tuple(replace(line, moves=True) for line in lines)),))


def _rows(draft: Document, base: Document, key: str, cells: Sequence[Sequence[Cell]]) -> list[Line]:
    """An item in each row, its id in front: a cell only while it can still be chosen."""
    lines = []
    known = places_in(draft, base, key, "id")
    for at, (item, own, there) in enumerate(zip(items(draft, key), cells, known, strict=True)):
        name = str(item.get("id"))
        found = tuple(
            Place((key, at, *tail), there and (*there, *tail), spec, f"{title} of {name}") for title, tail, spec in own
        )
        chosen = None if there else Place((key, at, "id"), None, TEXT, f"Id of {name}")
        lines.append(Line(name, "", found, (key, at), own=chosen))
    return lines


def _titles(cells: Sequence[Cell]) -> tuple[Column, ...]:
    return tuple(Column(title) for title, _, _ in cells)
