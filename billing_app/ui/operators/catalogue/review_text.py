"""What an edit of the catalogue changes, in words: each place, from what to what, and what it does to organizations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from billing_app.domain.catalogue import CatalogChange, ChangeKind
from billing_app.domain.catalogue.changes import IDENTITIES
from billing_app.domain.credits.entitlements import MeterState
from billing_app.services.operators.views_catalogue import Affected, FileState, FileView, MetricEffect, Preview, Version
from billing_app.ui.kit.formats import Formats, clock, long_day
from billing_app.ui.kit.values import Kind, Spec, as_text
from billing_app.ui.operators.catalogue.grids import LIMITS, Document

FIELDS = {
    "prices": "price", "included": "included", "organization": "", "votingTypes": "voting", "features": "",
    "month": "per month", "year": "per year", "trial_days": "trial days", "price_cents": "price",
    "quantity": "holds", "interval": "paid", "tokens": "tokens", "stripePlanId": "product at Stripe",
    "display_unit": "unit shown", "unit": "unit counted", "price_per": "price quoted per", "aggregation": "counts",
    "deficit": "use that nothing paid", "refund_shortfall": "refund of used credits", "grace_days": "days of grace",
}  # fmt: skip
RATED = ("token_rates", ("quantity",))
STATES = {MeterState.OK: "within plan", MeterState.USING_CREDITS: "using credits", MeterState.BLOCKED: "blocked"}


@dataclass(frozen=True)
class ChangeRow:
    """One change: whose, what, before and after."""

    subject: str = ""
    what: str = ""
    before: str = ""
    after: str = ""
    kind: str = ""


@dataclass(frozen=True)
class AffectedRow:
    """One organization that feels an edit."""

    name: str = ""
    plan: str = ""
    lines: list[str] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    blocked: bool = False


class Words:
    """Names of what the ids of a document stand for."""

    def __init__(self, *documents: Document) -> None:
        """The first document that knows an id names it."""
        self.names: dict[tuple[str, str], str] = {}
        self.metrics: dict[str, Any] = {}
        self.currency = str(documents[0].get("currency", "usd"))
        for document in reversed(documents):
            for key, identity in IDENTITIES.items():
                for item in document.get(key, ()):
                    self.names[key, str(item.get(identity))] = str(item.get("name") or item.get(identity))
            self.metrics |= {str(each["id"]): each for each in document.get("metrics", ())}

    def change(self, change: CatalogChange) -> ChangeRow:
        """A change as a line."""
        key, identity, tail = self._parts(change.path)
        subject = self.names.get((key, identity), identity) or key.replace("_", " ")
        if key == "token_rates":
            subject = f"Tokens for {self.names.get(('metrics', identity), identity)}"
        if change.kind is ChangeKind.REORDERED:
            return ChangeRow(key.replace("_", " ").capitalize(), "put in another order", kind="changed")
        if change.kind is not ChangeKind.CHANGED:
            word = "new" if change.kind is ChangeKind.ADDED else "taken out"
            return ChangeRow(subject, f"{word} {key.rstrip('s').replace('_', ' ')}", kind=change.kind.value)
        spec = self._spec(key, identity, tail)
        unit = self._unit(key, identity, tail)
        before, after = (_text(value, spec, unit) for value in (change.before, change.after))
        if key not in IDENTITIES:
            return ChangeRow("All plans", FIELDS.get(key, key).capitalize(), before, after, "changed")
        return ChangeRow(subject, self._what(tail) or change.path, before, after, "changed")

    def _parts(self, path: str) -> tuple[str, str, tuple[str, ...]]:
        """List, id (which may have dots in it) and the rest of a path."""
        key, _, rest = path.partition(".")
        known = [identity for kind, identity in self.names if kind == key]
        for identity in sorted(known, key=len, reverse=True):
            if rest == identity or rest.startswith(f"{identity}."):
                tail = rest[len(identity) + 1 :]
                return key, identity, tuple(tail.split(".")) if tail else ()
        return key, rest, ()

    def _what(self, tail: tuple[str, ...]) -> str:
        limits = {name: label for name, label, _ in LIMITS}
        if tail[:1] == ("included",):
            return f"{self.names.get(('metrics', tail[1]), tail[1])} included"
        if tail[:1] == ("organization",):
            return limits.get(tail[1], tail[1])
        if tail[:1] == ("features",):
            return self.names.get(("features", tail[1]), tail[1])
        if tail[:1] == ("votingTypes",):
            return f"{tail[1].title()} voting"
        return " ".join(filter(None, (FIELDS.get(part, part.replace("_", " ")) for part in tail))).capitalize()

    def _spec(self, key: str, identity: str, tail: tuple[str, ...]) -> Spec:
        if "prices" in tail or "price_cents" in tail:
            return Spec(Kind.PRICE, currency=self.currency)
        if tail[:1] == ("included",):
            return Spec(Kind.LIMIT, factor=int(self.metrics.get(tail[1], {}).get("factor", 1)))
        if key == "token_rates" and tail == ("quantity",):
            return Spec(Kind.NUMBER, factor=int(self.metrics.get(identity, {}).get("factor", 1)))
        return Spec(Kind.LIMIT)

    def _unit(self, key: str, identity: str, tail: tuple[str, ...]) -> str:
        """The display unit of a quantity that is not a count."""
        metric = tail[1] if tail[:1] == ("included",) else identity if (key, tail) == RATED else ""
        found = self.metrics.get(metric, {})
        return str(found.get("display_unit", "")) if int(found.get("factor", 1)) > 1 else ""


def affected_rows(preview: Preview, words: Words, formats: Formats, *, correcting: bool) -> list[AffectedRow]:
    """The organizations of a preview, each with when it feels what does not count at once."""
    corrected = "earlier months are computed anew"
    return [
        _affected(each, words, formats, corrected if correcting else f"from {long_day(each.next_period)} on")
        for each in preview.affected
    ]


def _affected(affected: Affected, words: Words, formats: Formats, later: str) -> AffectedRow:
    lines = [words.change(change) for change in affected.changes]
    labels = {name: label for name, label, _ in LIMITS}
    return AffectedRow(
        name=affected.name,
        plan=affected.plan_name,
        lines=[f"{line.what} {line.before} \N{RIGHTWARDS ARROW} {line.after}" for line in lines],
        effects=[
            text
            for effect in affected.metrics
            for text in _effects(effect, formats) or [later_line(effect, later)]
            if text
        ]
        + [f"{labels[use.limit]}: {use.used:,} there already, {use.maximum:,} allowed" for use in affected.over],
        blocked=affected.blocked_by_it,
    )


def later_line(effect: MetricEffect, later: str) -> str:
    """What is said of a metric whose figures of this moment stay: nothing where its plan counts at once."""
    return f"{effect.metric.name}: {later}" if effect.allowance[0] == effect.allowance[1] else ""


def _effects(effect: MetricEffect, formats: Formats) -> list[str]:
    """What the engine says of a metric before and after, where it differs."""
    return list(_differences(effect, formats))


def _differences(effect: MetricEffect, formats: Formats) -> Iterator[str]:
    name = effect.metric.name
    if effect.state[0] is not effect.state[1]:
        yield f"{name}: {STATES[effect.state[0]]} \N{RIGHTWARDS ARROW} {STATES[effect.state[1]]}"
    if effect.left[0] != effect.left[1]:
        before, after = (formats.size(effect.metric, each) for each in effect.left)
        yield f"{name} credits left: {before} \N{RIGHTWARDS ARROW} {after}"
    if effect.deficit[0] != effect.deficit[1]:
        before, after = (formats.size(effect.metric, each) for each in effect.deficit)
        yield f"{name} that nothing pays: {before} \N{RIGHTWARDS ARROW} {after}"


def _text(value: Any, spec: Spec, unit: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    text = as_text(value, spec) or "none"
    return f"{text} {unit}" if unit and isinstance(value, int) else text


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
