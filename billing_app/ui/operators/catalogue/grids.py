"""Which cells the catalogue editor has: where each lies in the document, and how its value is written.

Here is the frame, and what stands side by side (plans, metrics); lists are in `catalogue_lists`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from billing_app.domain.catalogue import ICONS, Hue, VotingType
from billing_app.domain.credits.facts import Aggregation, DeficitPolicy, RefundPolicy
from billing_app.ui.kit.values import Kind, Spec

Document = Mapping[str, Any]
Path = tuple[str | int, ...]

SEPARATOR = "|"
"""Between the parts of a path; no id has one."""

TEXT, LONG, OPTIONAL = Spec(Kind.TEXT), Spec(Kind.LONG), Spec(Kind.OPTIONAL)
NUMBER, LIMIT, FLAG, STILL = Spec(Kind.NUMBER), Spec(Kind.LIMIT), Spec(Kind.FLAG), Spec(Kind.STILL)

LIMITS = (
    ("memberships", "Members", LIMIT),
    ("subOrgs", "Sub-organizations", LIMIT),
    ("maxProcesses", "Open processes", LIMIT),
    ("max_census_size", "Census size", LIMIT),
    ("drafts", "Drafts", LIMIT),
    ("customURL", "Own web address", FLAG),
)


PLAN_FIELDS = (
    ("Name", "name", TEXT, ""),
    ("Id", "plan", TEXT, ""),
    ("Description", "description", LONG, ""),
    ("Default", "default", FLAG, "of whoever has no other"),
    ("Public", "public", FLAG, "can be chosen"),
    ("Retired", "retired", FLAG, "holders keep it"),
)


def one_of(*names: str) -> Spec:
    """A choice."""
    return Spec(Kind.CHOICE, options=names)


METRIC_GROUPS = (
    ("Metric", (("Name", "name", TEXT), ("Id", "id", TEXT), ("Caption", "caption", TEXT))),
    (
        "How it counts",
        (
            ("Counts", "aggregation", one_of(*(each.value for each in Aggregation))),
            ("Unit counted", "unit", TEXT),
            ("Unit shown", "display_unit", TEXT),
            ("Units counted in one shown", "factor", NUMBER),
            ("Price quoted per", "price_per", NUMBER),
        ),
    ),
    (
        "What happens",
        (
            ("To use that nothing paid", "deficit", one_of(*(each.value for each in DeficitPolicy))),
            ("To a refund of used credits", "refund_shortfall", one_of(*(each.value for each in RefundPolicy))),
        ),
    ),
    ("How it looks", (("Hue", "hue", one_of(*(each.value for each in Hue))), ("Icon", "icon", one_of(*sorted(ICONS))))),
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
    """A row of cells. `item` is the path of what can be taken out, `moves` says whether its order means something.

    `own` is the id that stands for the row, where it can still be chosen.
    """

    label: str
    hint: str
    cells: tuple[Place, ...]
    item: Path | None = None
    moves: bool = False
    own: Place | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column; `item` is what it shows, if it is a thing that can be moved and taken out."""

    title: str
    note: str = ""
    item: Path | None = None
    tile: tuple[str, str] = ("", "")
    """Hue and icon of a metric."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that belong together."""

    label: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """One table of the editor."""

    columns: tuple[Column, ...]
    groups: tuple[Group, ...]


def key_of(path: Path) -> str:
    """A path as a browser sends it."""
    return SEPARATOR.join(map(str, path))


def plans_grid(draft: Document, base: Document) -> Grid:
    """Plans side by side."""
    plans = items(draft, "plans")
    columns = tuple(
        Column(str(plan.get("name") or plan.get("plan")), _plan_note(plan), ("plans", at))
        for at, plan in enumerate(plans)
    )
    line = _lines(columns, draft, base, "plans", "plan")
    currency = str(draft.get("currency", "usd"))
    price = Spec(Kind.PRICE, currency=currency)
    metrics = items(draft, "metrics")
    return Grid(
        columns,
        (
            Group(
                "Plan",
                tuple(line(label, (name,), spec, hint) for label, name, spec, hint in PLAN_FIELDS),
            ),
            Group(
                "Price",
                (
                    line("Per month", ("prices", "month"), price, currency.upper()),
                    line("Per year", ("prices", "year"), price, currency.upper()),
                    line("Trial days", ("trial_days",), NUMBER),
                    line("Product at Stripe", ("stripePlanId",), OPTIONAL, "optional"),
                ),
            ),
            Group(
                "Included each month",
                tuple(
                    line(
                        str(each.get("name")), ("included", str(each.get("id"))), quantity(each, Kind.LIMIT), unit(each)
                    )
                    for each in metrics
                ),
            ),
            Group("Limits", tuple(line(label, ("organization", name), spec) for name, label, spec in LIMITS)),
            Group(
                "Voting types",
                tuple(line(each.value.title(), ("votingTypes", each.value), FLAG) for each in VotingType),
            ),
            Group(
                "Features",
                tuple(
                    line(str(each["name"]), ("features", str(each["id"])), FLAG) for each in items(draft, "features")
                ),
            ),
        ),
    )


def metrics_grid(draft: Document, base: Document) -> Grid:
    """Metrics side by side."""
    columns = tuple(
        Column(str(each.get("name")), "", ("metrics", at), (str(each.get("hue")), str(each.get("icon"))))
        for at, each in enumerate(items(draft, "metrics"))
    )
    line = _lines(columns, draft, base, "metrics", "id")
    return Grid(
        columns,
        tuple(
            Group(label, tuple(line(title, (key,), spec) for title, key, spec in fields))
            for label, fields in METRIC_GROUPS
        ),
    )


def places(grid: Grid) -> Iterator[Place]:
    """Every cell."""
    for group in grid.groups:
        for line in group.lines:
            yield from line.cells
            if line.own is not None:
                yield line.own


def items(document: Document, key: str) -> list[Mapping[str, Any]]:
    """The items of a list of the document."""
    return list(document.get(key, ()))


def places_in(draft: Document, base: Document, key: str, identity: str, tail: Path = ()) -> list[Path | None]:
    """Where the same field of each item of a list lies in `base`; None of what is not there.

    Of two items with one id the second is new: its id is a mistake that somebody is about to put right.
    """
    known = {each.get(identity): at for at, each in reversed(list(enumerate(items(base, key))))}
    found: list[Path | None] = []
    for item in items(draft, key):
        at = known.pop(item.get(identity), None)
        held = items(base, key)[at].get(str(tail[0])) if at is not None and len(tail) > 1 else None
        absent = at is None or (isinstance(held, Mapping) and tail[1] not in held)
        found.append(None if absent else (key, at, *tail))
    return found


def quantity(metric: Mapping[str, Any], kind: Kind) -> Spec:
    """A quantity in the metric's display unit. A factor that is none (somebody is still typing) counts as 1."""
    return Spec(kind, factor=factor(metric))


def factor(metric: Mapping[str, Any]) -> int:
    """Base units in one display unit."""
    found = metric.get("factor", 1)
    return found if isinstance(found, int) and found > 0 else 1


def unit(metric: Mapping[str, Any]) -> str:
    """The display unit of what is not a count."""
    return str(metric.get("display_unit", "")) if factor(metric) > 1 else ""


def _lines(columns: Sequence[Column], draft: Document, base: Document, key: str, identity: str) -> Callable[..., Line]:
    """Makes rows of one field of every item."""

    def line(label: str, tail: Path, spec: Spec, hint: str = "") -> Line:
        known = places_in(draft, base, key, identity, tail)
        cells = tuple(
            # An id that is known is for ever: facts name it.
            Place(
                (key, at, *tail),
                there,
                STILL if tail == (identity,) and there else spec,
                f"{label} of {columns[at].title}",
            )
            for at, there in enumerate(known)
        )
        return Line(label, hint, cells)

    return line


def _plan_note(plan: Mapping[str, Any]) -> str:
    notes = [word for word, given in (("default", plan.get("default")), ("retired", plan.get("retired"))) if given]
    return ", ".join(notes)
