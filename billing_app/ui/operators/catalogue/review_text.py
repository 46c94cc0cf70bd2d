"""What stands around the catalogue editor's tables: plans.json, the review before saving, and the history."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from billing_app.services.operators.views_catalogue import FileState, FileView, Preview, Version
from billing_app.ui.kit.formats import Formats, clock, long_day
from billing_app.ui.operators.catalogue.changes_text import AffectedRow, ChangeRow, Words, affected_rows
from billing_app.ui.operators.catalogue.grids import Document

PRICED = re.compile(r"plans\..+\.prices\.|packs\.|plans\.[^.]+$")
"""Changes that a price at Stripe follows."""


MAX_PLACES = 4
"""Places of plans.json that its remark names."""

MAX_CHANGES = 6
"""Changes of a version that the history spells out."""


@dataclass(frozen=True)
class VersionRow:
    """A line of the history."""

    number: int = 0
    title: str = ""
    note: str = ""
    changes: list[ChangeRow] = field(default_factory=list)
    more: str = ""
    in_force: bool = False
    corrected: bool = False


@dataclass(frozen=True)
class ReviewScreen:
    """What is looked at before saving."""

    open: bool = False
    correcting: bool = False
    title: str = ""
    changes: list[ChangeRow] = field(default_factory=list)
    affected: list[AffectedRow] = field(default_factory=list)
    affected_title: str = ""
    more: str = ""
    prices: str = ""
    kept: str = ""
    save: str = ""


@dataclass(frozen=True)
class FileNotice:
    """What is said of plans.json, if anything."""

    title: str = ""
    text: str = ""
    tone: str = ""
    opens: bool = False


def counted(number: int, noun: str) -> str:
    """`1 change`, `3 changes`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def review_screen(
    preview: Preview, draft: Document, base: Document, formats: Formats, version: int, *, correcting: bool
) -> ReviewScreen:
    """The edit, whom it affects, and what it will do at Stripe."""
    words = Words(draft, base)
    changes = preview.result.changes
    prices = sum(1 for change in changes if PRICED.match(change.path))
    return ReviewScreen(
        open=True,
        correcting=correcting,
        title=f"Review {counted(len(changes), 'change')}",
        changes=[words.change(change) for change in changes],
        affected=affected_rows(preview, words, formats, correcting=correcting),
        affected_title=f"{counted(preview.count, 'organization')} affected" if preview.count else "Nobody is affected",
        more=f"and {preview.count - len(preview.affected)} more" if preview.count > len(preview.affected) else "",
        prices=f"{counted(prices, 'change')} of what is sold: push the prices to Stripe after saving."
        if prices
        else "",
        kept=f"In use, so kept as retired: {', '.join(preview.result.kept)}" if preview.result.kept else "",
        save=f"Save as version {version + 1}",
    )


def version_rows(versions: tuple[Version, ...], document: Document) -> list[VersionRow]:
    """The versions, the newest first."""
    words = Words(document)
    return [
        VersionRow(
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


def file_notice(file: FileView) -> FileNotice:
    """How plans.json stands to the catalogue in force, if it is worth a word."""
    more = len(file.says) - MAX_PLACES
    places = ", ".join(file.says[:MAX_PLACES]) + (f" and {more} more" if more > 0 else "")
    if file.state is FileState.CONFLICT:
        return FileNotice(
            "plans.json has changed and was not loaded.",
            f"It would undo what was edited here: {places}. To keep what is here, put the exported file in its place.",
            "soon",
            opens=True,
        )
    if file.state is FileState.WAITING:
        return FileNotice("plans.json has changed.", f"The next start loads it: {places}.", "", opens=True)
    if file.state is FileState.BROKEN:
        return FileNotice("plans.json has mistakes: the next start will refuse it.", f"{places}.", "blocked")
    return FileNotice()
