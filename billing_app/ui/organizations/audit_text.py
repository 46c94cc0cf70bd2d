"""Entries of the audit log on the screen: the sentence that services give, and its moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from billing_app.domain.catalogue.model import Metric
from billing_app.services.common.audit_words import Words
from billing_app.services.common.views import Entry
from billing_app.services.organizations.views import AuditPage
from billing_app.ui.kit.formats import Formats, clock, day


@dataclass(frozen=True)
class AuditRow:
    """One entry: "Nora invited kim@...", what more there is to it, and its moment."""

    who: str = ""
    did: str = ""
    changes: list[str] = field(default_factory=list)
    when: str = ""
    time: str = ""
    exact: str = ""


class Signs:
    """Figures as this reader writes them."""

    def __init__(self, formats: Formats) -> None:
        """In the signs of a locale."""
        self._formats = formats

    def size(self, metric: Metric, value: int) -> str:
        """A quantity with its unit."""
        return self._formats.size(metric, value)

    def money(self, cents: int, currency: str) -> str:
        """An amount with its currency."""
        return self._formats.money(cents, currency)


def audit_rows(page: AuditPage, now: datetime, formats: Formats) -> list[AuditRow]:
    """The lines of a page of the log."""
    words = Words(page.metrics, page.currency, Signs(formats))
    return [_row(entry, now, words) for entry in page.entries]


def _row(entry: Entry, now: datetime, words: Words) -> AuditRow:
    said = words.text_of(entry)
    return AuditRow(
        who=said.who,
        did=said.did,
        changes=list(said.details),
        when=day(entry.at, now),
        time=f"{clock(entry.at)} UTC",
        exact=entry.at.isoformat(),
    )
