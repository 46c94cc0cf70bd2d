"""The catalogue editor: from a draft and what is known of it to what the screen shows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from billing_app.services.catalogue_edits import Version
from billing_app.services.catalogue_effects import Preview
from billing_app.services.views.catalogue import CatalogueView, CheckView
from billing_app.ui.formats import Formats, clock, long_day
from billing_app.ui.present.catalogue_drafts import value_at
from billing_app.ui.present.catalogue_grids import (
    Document,
    Grid,
    Place,
    actions_grid,
    key_of,
    packs_grid,
    places,
    plans_grid,
    rates_grid,
)
from billing_app.ui.present.catalogue_values import Kind, shown
from billing_app.ui.present.catalogue_words import AffectedShown, ChangeShown, Words, affected_shown

GRIDS = {"plans": plans_grid, "packs": packs_grid, "rates": rates_grid, "actions": actions_grid}
"""The editor's tables by their names."""

PRICED = re.compile(r"plans\..+\.prices\.|packs\.|plans\.[^.]+$")
"""Changes that a price at Stripe follows."""


@dataclass(frozen=True)
class CellShown:
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
class LineShown:
    """A row."""

    label: str = ""
    hint: str = ""
    cells: list[CellShown] = field(default_factory=list)
    remove: str = ""


@dataclass(frozen=True)
class GroupShown:
    """Rows that belong together."""

    label: str = ""
    lines: list[LineShown] = field(default_factory=list)


@dataclass(frozen=True)
class ColumnShown:
    """A column's head."""

    title: str = ""
    note: str = ""
    remove: str = ""


@dataclass(frozen=True)
class GridShown:
    """One table."""

    columns: list[ColumnShown] = field(default_factory=list)
    groups: list[GroupShown] = field(default_factory=list)
    span: int = 1


@dataclass(frozen=True)
class VersionShown:
    """A line of the history."""

    number: int = 0
    title: str = ""
    note: str = ""
    changes: list[ChangeShown] = field(default_factory=list)
    more: str = ""
    in_force: bool = False
    corrected: bool = False


@dataclass(frozen=True)
class ReviewShown:
    """What is looked at before saving."""

    open: bool = False
    correcting: bool = False
    title: str = ""
    changes: list[ChangeShown] = field(default_factory=list)
    affected: list[AffectedShown] = field(default_factory=list)
    affected_title: str = ""
    more: str = ""
    prices: str = ""
    kept: str = ""
    save: str = ""


@dataclass(frozen=True)
class CatalogueShown:
    """Everything the editor shows."""

    ready: bool = False
    part: str = "plans"
    title: str = ""
    since: str = ""
    grid: GridShown = field(default_factory=GridShown)
    dirty: bool = False
    sound: bool = True
    changes: str = ""
    affected: str = ""
    mistakes: list[str] = field(default_factory=list)
    newer: str = ""
    both: str = ""
    file_conflict: str = ""
    saved: str = ""
    push: bool = False
    pushed: str = ""
    history: list[VersionShown] = field(default_factory=list)
    review: ReviewShown = field(default_factory=ReviewShown)


MAX_MISTAKES = 3
"""Mistakes that the bar spells out; each is marked in its cell, too."""

MAX_CHANGES = 6
"""Changes of a version that the history spells out."""


def counted(number: int, noun: str) -> str:
    """`1 change`, `3 changes`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def head_words(view: CatalogueView) -> tuple[str, str]:
    """Which version, and since when."""
    return f"Version {view.version}", f"since {long_day(view.effective_at)}, {view.source}"


def grid_shown(part: str, draft: Document, base: Document, check: CheckView) -> GridShown:
    """One table of the draft, against what it began with."""
    grid = GRIDS.get(part, plans_grid)(draft, base)
    wrong = dict(check.mistakes)
    return GridShown(
        columns=[ColumnShown(title, note, key_of(path) if path else "") for title, note, path in grid.columns],
        groups=[
            GroupShown(
                group.label,
                [
                    LineShown(
                        line.label,
                        line.hint,
                        [_cell(place, draft, base, wrong) for place in line.cells],
                        key_of(line.remove) if line.remove else "",
                    )
                    for line in group.lines
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


def _cell(place: Place, draft: Document, base: Document, wrong: dict[str, str]) -> CellShown:
    value = value_at(draft, place.path)
    was = value_at(base, place.base)
    differs = bool(value) != bool(was) if place.spec.kind is Kind.FLAG else value != was
    edited = place.spec.kind is not Kind.STILL and (place.base is None or differs)
    return CellShown(
        key=key_of(place.path),
        kind=place.spec.kind.value,
        value=shown(value, place.spec),
        on=bool(value),
        was=shown(was, place.spec) if place.base is not None and edited else "",
        changed=edited,
        mistake=wrong.get(_named(place), ""),
        label=place.label,
        options=list(place.spec.options),
    )


def _named(place: Place) -> str:
    """The place as mistakes name it: `plans[1].included.mau`."""
    text = ""
    for part in place.path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text.rpartition(".")[0] if place.path[0] == "actions" else text


def bar_words(check: CheckView) -> dict[str, object]:
    """What the bar says of an edit."""
    mistakes = [f"{place}: {message}" for place, message in check.mistakes]
    more = len(mistakes) - MAX_MISTAKES
    newer = f"Version {check.newer} was saved meanwhile. Your edit is still here." if check.newer else ""
    return {
        "sound": not mistakes and not check.newer,
        "mistakes": mistakes[:MAX_MISTAKES] + ([f"and {counted(more, 'more')[:-1]}"] if more > 0 else []),
        "changes": counted(len(check.changes), "change") if check.changes else "",
        "affected": f"{counted(check.affected, 'organization')} affected" if check.affected else "nobody affected",
        "newer": newer,
    }


def review_shown(
    preview: Preview, draft: Document, base: Document, formats: Formats, version: int, *, correcting: bool
) -> ReviewShown:
    """The edit, whom it affects, and what it will do at Stripe."""
    words = Words(draft, base)
    changes = preview.result.changes
    prices = sum(1 for change in changes if PRICED.match(change.path))
    return ReviewShown(
        open=True,
        correcting=correcting,
        title=f"Review {counted(len(changes), 'change')}",
        changes=[words.change(change) for change in changes],
        affected=affected_shown(preview, words, formats, correcting=correcting),
        affected_title=f"{counted(preview.count, 'organization')} affected" if preview.count else "Nobody is affected",
        more=f"and {preview.count - len(preview.affected)} more" if preview.count > len(preview.affected) else "",
        prices=f"{counted(prices, 'change')} of what is sold: push the prices to Stripe after saving."
        if prices
        else "",
        kept=f"In use, so kept as retired: {', '.join(preview.result.kept)}" if preview.result.kept else "",
        save=f"Save as version {version + 1}",
    )


def history_shown(versions: tuple[Version, ...], document: Document) -> list[VersionShown]:
    """The versions, the newest first."""
    words = Words(document)
    return [
        VersionShown(
            number=each.version,
            title=f"Version {each.version}",
            note=_note(each),
            changes=[words.change(change) for change in each.changes[:MAX_CHANGES]],
            more=f"and {len(each.changes) - MAX_CHANGES} more" if len(each.changes) > MAX_CHANGES else "",
            in_force=each.in_force,
            corrected=each.corrected_by is not None,
        )
        for each in versions
    ]


def _note(version: Version) -> str:
    since = f"from {long_day(version.effective_at)}, {clock(version.effective_at)} UTC"
    corrected = f", corrected by version {version.corrected_by}" if version.corrected_by else ""
    corrects = f", corrects version {version.corrects}" if version.corrects else ""
    return f"{since}, {version.source}{corrects}{corrected}"


def conflict_words(view: CatalogueView) -> str:
    """What a changed plans.json would undo."""
    if not view.file_conflict:
        return ""
    return f"It would undo what was edited here: {', '.join(view.file_conflict[:4])}. It was not loaded."
