"""The catalogue editor: from a draft and what is known of it to what the screen shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from billing_app.domain.catalogue.changes import IDENTITIES
from billing_app.services.operators.views_catalogue import CatalogueAnswer, CheckView
from billing_app.ui.kit.formats import long_day
from billing_app.ui.kit.values import Kind, as_text
from billing_app.ui.operators.catalogue.drafts import value_at
from billing_app.ui.operators.catalogue.grids import Document, Grid, Place, key_of, places, plans_grid
from billing_app.ui.operators.catalogue.lists import GRIDS
from billing_app.ui.operators.catalogue.review_text import FileNotice, ReviewScreen, VersionRow, counted

PARTS = {
    "plans": "Plans", "packs": "Packs", "metrics": "Metrics", "features": "Features", "actions": "Actions",
    "rates": "Token rates", "general": "General",
}  # fmt: skip
"""The editor's tables as people call them."""


@dataclass(frozen=True)
class CellScreen:
    """One cell of the editor."""

    key: str = ""
    kind: str = ""
    value: str = ""
    on: bool = False
    was: str = ""
    changed: bool = False
    mistake: str = ""
    label: str = ""
    options: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class LineScreen:
    """A row."""

    label: str = ""
    hint: str = ""
    cells: list[CellScreen] = field(default_factory=list)
    item: str = ""
    moves: bool = False
    own: CellScreen = field(default_factory=CellScreen)


@dataclass(frozen=True)
class GroupScreen:
    """Rows that belong together."""

    label: str = ""
    lines: list[LineScreen] = field(default_factory=list)


@dataclass(frozen=True)
class ColumnScreen:
    """A column's head."""

    title: str = ""
    note: str = ""
    item: str = ""
    moves: bool = False
    hue: str = ""
    icon: str = ""


@dataclass(frozen=True)
class GridScreen:
    """One table."""

    columns: list[ColumnScreen] = field(default_factory=list)
    groups: list[GroupScreen] = field(default_factory=list)
    span: int = 1


@dataclass(frozen=True)
class CatalogueScreen:
    """Everything the editor shows."""

    ready: bool = False
    part: str = "plans"
    title: str = ""
    since: str = ""
    grid: GridScreen = field(default_factory=GridScreen)
    dirty: bool = False
    sound: bool = True
    changes: str = ""
    affected: str = ""
    mistakes: list[str] = field(default_factory=list)
    newer: str = ""
    both: str = ""
    file: FileNotice = field(default_factory=FileNotice)
    saved: str = ""
    push: bool = False
    pushed: str = ""
    history: list[VersionRow] = field(default_factory=list)
    review: ReviewScreen = field(default_factory=ReviewScreen)


MAX_MISTAKES = 3
"""Mistakes that the bar spells out; each is marked in its cell, too."""

MIN_NAMED = 3
"""List, item and field: shorter paths are those of the catalogue itself."""


def head_words(view: CatalogueAnswer) -> tuple[str, str]:
    """Which version, and since when."""
    return f"Version {view.version}", f"since {long_day(view.effective_at)}, {view.source}"


def grid_screen(part: str, draft: Document, base: Document, check: CheckView) -> GridScreen:
    """One table of the draft, against what it began with."""
    grid = GRIDS.get(part, plans_grid)(draft, base)
    wrong = dict(check.mistakes)
    return GridScreen(
        columns=[
            ColumnScreen(each.title, each.note, key_of(each.item or ()), bool(each.item) and at > 0, *each.tile)
            for at, each in enumerate(grid.columns)
        ],
        groups=[
            GroupScreen(
                group.label,
                [
                    LineScreen(
                        line.label,
                        line.hint,
                        [_cell(place, draft, base, wrong) for place in line.cells],
                        key_of(line.item or ()),
                        line.moves and at > 0,
                        _cell(line.own, draft, base, wrong) if line.own else CellScreen(),
                    )
                    for at, line in enumerate(group.lines)
                ],
            )
            for group in grid.groups
        ],
        span=len(grid.columns) + 1,
    )


def place_named(part: str, key: str, draft: Document, base: Document) -> Place | None:
    """The cell that a browser names; None for one that the editor does not have."""
    grid: Grid = GRIDS.get(part, plans_grid)(draft, base)
    return next((place for place in places(grid) if key_of(place.path) == key), None)


def _cell(place: Place, draft: Document, base: Document, wrong: dict[str, str]) -> CellScreen:
    value = value_at(draft, place.path)
    was = value_at(base, place.base)
    differs = bool(value) != bool(was) if place.spec.kind is Kind.FLAG else value != was
    edited = place.spec.kind is not Kind.STILL and (place.base is None or differs)
    return CellScreen(
        key=key_of(place.path),
        kind=place.spec.kind.value,
        value=as_text(value, place.spec),
        on=bool(value),
        was=as_text(was, place.spec) if place.base is not None and edited else "",
        changed=edited,
        mistake=next((wrong[name] for name in _names(place, draft) if name in wrong), ""),
        label=place.label,
        options=list(place.spec.options),
    )


def _names(place: Place, draft: Document) -> tuple[str, ...]:
    """The place as mistakes name it: `plans[1].included.mau`, and `plans.pro.included.mau` in what facts refuse."""
    path = place.path[:-1] if place.path[0] == "actions" and "metrics" in place.path else place.path
    if len(path) < MIN_NAMED:
        return (str(path[0]),)
    key, at, *tail = map(str, path)
    identity = draft[key][int(at)].get(IDENTITIES.get(key, "id"))
    return ".".join((f"{key}[{at}]", *tail)), ".".join((key, str(identity), *tail))


def bar_words(check: CheckView, draft: Document, base: Document) -> dict[str, object]:
    """What the bar says of an edit: mistakes by the names of their cells, wherever those are."""
    mistakes: list[str] = []
    if check.mistakes:
        cells = {
            name: f"{title}, {place.label}"
            for part, title in PARTS.items()
            for place in places(GRIDS[part](draft, base))
            for name in _names(place, draft)
        }
        mistakes = [f"{cells.get(path, path)}: {message}" for path, message in check.mistakes]
    more = len(mistakes) - MAX_MISTAKES
    newer = f"Version {check.newer} was saved meanwhile. Your edit is still here." if check.newer else ""
    return {
        "sound": not mistakes and not check.newer,
        "mistakes": mistakes[:MAX_MISTAKES] + ([f"and {more} more"] if more > 0 else []),
        "changes": counted(len(check.changes), "change") if check.changes else "",
        "affected": f"{counted(check.affected, 'organization')} affected" if check.affected else "nobody affected",
        "newer": newer,
    }
