"""Stripe's events, for an operator."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from billing_app.services.operators.views_operations import (
    EventAnswer,
    EventFilters,
    EventsView,
    EventWithPayloadAnswer,
)
from billing_app.ui import operator_routes
from billing_app.ui.kit.formats import Formats, clock, moment_text, plain_day
from billing_app.ui.kit.records import Choice, Field

STATES = {
    "": "All states",
    "new": "Waiting",
    "handled": "Handled",
    "failed": "Failed",
    "given_up": "Given up",
    "ignored": "Ignored",
}

ANY = "all"
"""Stands for no filter: a choice cannot have an empty value."""


@dataclass(frozen=True)
class EventRow:
    """One event."""

    when: str = ""
    when_note: str = ""
    type: str = ""
    object_id: str = ""
    organization: str = ""
    state: str = ""
    tone: str = ""
    note: str = ""
    href: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class OpenedEvent:
    """The event beside the list."""

    visible: bool = False
    id: str = ""
    type: str = ""
    state: str = ""
    tone: str = ""
    facts: list[Field] = field(default_factory=list)
    error: str = ""
    organization: str = ""
    organization_href: str = ""
    payload: str = ""
    missing: str = ""
    """Why it is not there."""


@dataclass(frozen=True)
class StripeEventsScreen:
    """The page."""

    ready: bool = False
    empty: bool = False
    rows: list[EventRow] = field(default_factory=list)
    states: list[Choice] = field(default_factory=list)
    state: str = ANY
    state_base: str = ""
    types: list[Choice] = field(default_factory=list)
    type: str = ANY
    type_base: str = ""
    organization: str = ""
    filtered: bool = False
    summary: str = ""
    """Empty when none was."""
    older_href: str = ""
    newest_href: str = ""
    close_href: str = ""
    event: OpenedEvent = field(default_factory=OpenedEvent)


def query_of(filters: EventFilters) -> dict[str, str]:
    """The filters as the URL's query."""
    return {"state": filters.state, "type": filters.type, "organization": filters.organization}


def events_screen(
    view: EventsView, opened: EventWithPayloadAnswer | str | None, formats: Formats, filters: EventFilters, cursor: str
) -> StripeEventsScreen:
    """The page as the screen has it; `opened` is the event beside the list, or why there is none."""
    query = query_of(filters)
    chosen = opened.id if isinstance(opened, EventWithPayloadAnswer) else ""
    filtered = any(query.values())
    return StripeEventsScreen(
        ready=True,
        empty=not view.events and not filtered and not cursor,
        rows=[_row(line, query, cursor, line.id == chosen) for line in view.events],
        states=[Choice(value or ANY, label) for value, label in STATES.items()],
        state=filters.state or ANY,
        state_base=_base(query, "state"),
        types=[Choice(ANY, "All types"), *(Choice(each, each) for each in view.types)],
        type=filters.type or ANY,
        type_base=_base(query, "type"),
        organization=filters.organization,
        filtered=filtered,
        summary=_summary(view, formats),
        older_href=operator_routes.stripe_events(**query, cursor=view.next_cursor) if view.next_cursor else "",
        newest_href=operator_routes.stripe_events(**query) if cursor else "",
        close_href=operator_routes.stripe_events(**query, cursor=cursor),
        event=_opened(opened),
    )


def _base(query: dict[str, str], name: str) -> str:
    """A URL that ends with where the value of a filter goes."""
    rest = operator_routes.stripe_events(**{key: value for key, value in query.items() if key != name})
    return f"{rest}{'&' if '?' in rest else '?'}{name}="


def _summary(view: EventsView, formats: Formats) -> str:
    if not (view.waiting or view.failing):
        return "Nothing is waiting"
    parts = [f"{formats.number(view.waiting)} waiting"] if view.waiting else []
    parts += [f"{formats.number(view.failing)} being tried again"] if view.failing else []
    return ", ".join(parts)


def state_of(line: EventAnswer) -> tuple[str, str]:
    """What became of an event, in a word, and its tone."""
    if line.given_up:
        return "Given up", "blocked"
    return {
        "new": ("Waiting", "credits"),
        "handled": ("Handled", "quiet"),
        "failed": ("Failed", "soon"),
        "ignored": ("Ignored", "quiet"),
    }[line.state]


def _note(line: EventAnswer) -> str:
    if line.state == "failed":
        return line.error
    return ""


def _row(line: EventAnswer, query: dict[str, str], cursor: str, chosen: bool) -> EventRow:
    state, tone = state_of(line)
    return EventRow(
        when=plain_day(line.received_at),
        when_note=f"{line.received_at:%H:%M:%S}",
        type=line.type,
        object_id=line.object_id,
        organization=line.organization,
        state=state,
        tone=tone,
        note=_note(line),
        href=operator_routes.stripe_events(**query, cursor=cursor, event=line.id),
        chosen=chosen,
    )


def _opened(opened: EventWithPayloadAnswer | str | None) -> OpenedEvent:
    if opened is None:
        return OpenedEvent()
    if isinstance(opened, str):
        return OpenedEvent(visible=True, missing=opened)
    line = opened
    state, tone = state_of(line)
    facts = [
        Field("Happened", moment_text(line.created_at)),
        Field("Received", moment_text(line.received_at)),
        Field("Object", line.object_id or "none"),
        Field("Tries", str(line.attempts)),
    ]
    if line.customer_id:
        facts.insert(3, Field("Customer", line.customer_id))
    if line.handled_at:
        facts.append(Field("Handled", moment_text(line.handled_at)))
    if line.next_try_at and line.state == "failed":
        facts.append(Field("Next try", clock(line.next_try_at) + " UTC"))
    return OpenedEvent(
        visible=True,
        id=line.id,
        type=line.type,
        state=state,
        tone=tone,
        facts=facts,
        error=line.error,
        organization=line.organization,
        organization_href=operator_routes.organization(line.address) if line.address else "",
        payload=json.dumps(opened.payload, indent=2, ensure_ascii=False),
    )
