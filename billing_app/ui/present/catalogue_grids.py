"""Which cells the catalogue editor has: where each lies in the document, and how its value is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from billing_app.domain.catalog import Interval, VotingType
from billing_app.ui.present.catalogue_values import Kind, Spec

Document = Mapping[str, Any]
Path = tuple[str | int, ...]

SEPARATOR = "|"
"""Between the parts of a path; no id has one."""

TEXT, NUMBER, LIMIT, FLAG = Spec(Kind.TEXT), Spec(Kind.NUMBER), Spec(Kind.LIMIT), Spec(Kind.FLAG)
STILL = Spec(Kind.STILL)

LIMITS = (
    ("memberships", "Members", LIMIT),
    ("subOrgs", "Sub-organizations", LIMIT),
    ("maxProcesses", "Open processes", LIMIT),
    ("max_census_size", "Census size", LIMIT),
    ("drafts", "Drafts", LIMIT),
    ("customURL", "Own web address", FLAG),
)


@dataclass(frozen=True, slots=True)
class Place:
    """One cell: its path in the document, the path in what it is compared with (None: it is new), and its kind."""

    path: Path
    base: Path | None
    spec: Spec
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row of cells."""

    label: str
    hint: str
    cells: tuple[Place, ...]
    remove: Path | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that belong together."""

    label: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """One table of the editor. `columns` are (title, note, path to remove it or None)."""

    columns: tuple[tuple[str, str, Path | None], ...]
    groups: tuple[Group, ...]


def key_of(path: Path) -> str:
    """A path as a browser sends it."""
    return SEPARATOR.join(map(str, path))


def plans_grid(draft: Document, base: Document) -> Grid:
    """Plans side by side."""
    plans = list(enumerate(_items(draft, "plans")))
    columns = tuple((str(plan.get("name") or plan.get("plan")), _plan_note(plan), ("plans", at)) for at, plan in plans)

    def line(label: str, tail: Path, spec: Spec, hint: str = "") -> Line:
        found = [(at, _base(base, "plans", "plan", plan, tail)) for at, plan in plans]
        # The id of a plan that is known is for ever: facts name it.
        specs = [STILL if tail == ("plan",) and known else spec for _, known in found]
        cells = tuple(
            Place(("plans", at, *tail), known, each, f"{label} of {columns[at][0]}")
            for (at, known), each in zip(found, specs, strict=True)
        )
        return Line(label, hint, cells)

    price = Spec(Kind.PRICE, currency=str(draft.get("currency", "usd")))
    metrics = _items(draft, "metrics")
    groups = (
        Group("Plan", (line("Name", ("name",), TEXT), line("Id", ("plan",), TEXT), line("Public", ("public",), FLAG))),
        Group(
            "Price",
            (
                line("Per month", ("prices", "month"), price, str(draft.get("currency", "")).upper()),
                line("Per year", ("prices", "year"), price, str(draft.get("currency", "")).upper()),
                line("Trial days", ("trial_days",), NUMBER),
            ),
        ),
        Group(
            "Included each month",
            tuple(
                line(str(each["name"]), ("included", each["id"]), _quantity(each, Kind.LIMIT), _unit(each))
                for each in metrics
            ),
        ),
        Group("Limits", tuple(line(label, ("organization", name), spec) for name, label, spec in LIMITS)),
        Group(
            "Voting types", tuple(line(each.value.title(), ("votingTypes", each.value), FLAG) for each in VotingType)
        ),
        Group(
            "Features",
            tuple(line(str(each["name"]), ("features", each["id"]), FLAG) for each in _items(draft, "features")),
        ),
    )
    return Grid(columns, groups)


def packs_grid(draft: Document, base: Document) -> Grid:
    """Packs, metric by metric."""
    metrics = {each["id"]: each for each in _items(draft, "metrics")}
    known = (*metrics, "token")
    money = Spec(Kind.MONEY, currency=str(draft.get("currency", "usd")))
    titles = ("Metric", "Holds", f"Price, {str(draft.get('currency', '')).upper()}", "Paid", "Public", "Retired")

    def line(at: int, pack: Mapping[str, Any]) -> Line:
        metric = metrics.get(str(pack.get("metric")), {})
        new = _base(base, "packs", "id", pack, ()) is None
        specs: tuple[tuple[str, Spec], ...] = (
            ("metric", Spec(Kind.CHOICE, options=known)),
            ("quantity", _quantity(metric, Kind.NUMBER)),
            ("price_cents", money),
            ("interval", Spec(Kind.CHOICE, options=tuple(each.value for each in Interval))),
            ("public", FLAG),
            ("retired", FLAG),
        )
        cells = tuple(
            Place(("packs", at, name), _base(base, "packs", "id", pack, (name,)), spec, f"{title} of {pack.get('id')}")
            for (name, spec), title in zip(specs, titles, strict=True)
        )
        own = Place(("packs", at, "id"), None, TEXT if new else STILL, f"Id of {pack.get('id')}")
        return Line(str(pack.get("id")), _unit(metric), (own, *cells) if named else cells, ("packs", at))

    numbered = list(enumerate(_items(draft, "packs")))
    # Ids stand beside the row; they are cells only while one of them can still be chosen.
    named = any(_base(base, "packs", "id", pack, ()) is None for _, pack in numbered)
    groups = tuple(
        Group(str(metrics[name]["name"]) if name in metrics else "Tokens", tuple(line(*each) for each in found))
        for name in known
        if (found := [each for each in numbered if each[1].get("metric") == name])
    )
    return Grid(tuple((title, "", None) for title in (("Id", *titles) if named else titles)), groups)


def rates_grid(draft: Document, base: Document) -> Grid:
    """What tokens become, and the days of grace."""
    metrics = {each["id"]: each for each in _items(draft, "metrics")}
    lines = []
    for at, rate in enumerate(_items(draft, "token_rates")):
        metric = metrics.get(str(rate.get("metric")), {})
        name = str(metric.get("name", rate.get("metric")))
        cells = tuple(
            Place(
                ("token_rates", at, key), _base(base, "token_rates", "metric", rate, (key,)), spec, f"{key} of {name}"
            )
            for key, spec in (("tokens", NUMBER), ("quantity", _quantity(metric, Kind.NUMBER)))
        )
        lines.append(Line(name, _unit(metric), cells, ("token_rates", at)))
    return Grid((("Tokens", "", None), ("become", "", None)), (Group("", tuple(lines)),))


def actions_grid(draft: Document, base: Document) -> Grid:
    """Which metrics each action needs."""
    metrics = list(_items(draft, "metrics"))
    lines = []
    for at, action in enumerate(_items(draft, "actions")):
        name = str(action.get("name"))
        cells = tuple(
            Place(
                ("actions", at, "metrics", each["id"]),
                _base(base, "actions", "id", action, ("metrics", each["id"])),
                FLAG,
                f"{name} needs {each['name']}",
            )
            for each in metrics
        )
        lines.append(Line(name, str(action.get("id")), cells))
    return Grid(tuple((str(each["name"]), "", None) for each in metrics), (Group("", tuple(lines)),))


def places(grid: Grid) -> Iterator[Place]:
    """Every cell."""
    for group in grid.groups:
        for line in group.lines:
            yield from line.cells


def _items(document: Document, key: str) -> list[Mapping[str, Any]]:
    return list(document.get(key, ()))


def _base(base: Document, key: str, identity: str, item: Mapping[str, Any], tail: Path) -> Path | None:
    """Where the same item lies in `base`; None if it is not there."""
    for at, each in enumerate(_items(base, key)):
        if each.get(identity) == item.get(identity):
            return (key, at, *tail)
    return None


def _plan_note(plan: Mapping[str, Any]) -> str:
    notes = [word for word, given in (("default", plan.get("default")), ("retired", plan.get("retired"))) if given]
    return ", ".join(notes)


def _quantity(metric: Mapping[str, Any], kind: Kind) -> Spec:
    return Spec(kind, factor=int(metric.get("factor", 1)))


def _unit(metric: Mapping[str, Any]) -> str:
    return str(metric.get("display_unit", "")) if int(metric.get("factor", 1)) > 1 else ""
