"""The records that the page of alerts is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from billing_app.ui.kit.records import Field


@dataclass(frozen=True)
class Column:
    """Somebody who can be told."""

    id: str = ""
    name: str = ""
    note: str = ""
    email: str = ""
    channel: str = ""


@dataclass(frozen=True)
class Cell:
    """Whether somebody is told of something."""

    audience: str = ""
    kind: str = ""
    notified: bool = False
    label: str = ""
    first: bool = False
    """The first of its channel: a rule before it."""


@dataclass(frozen=True)
class Line:
    """One kind of event, or with `topic` the head of several."""

    topic: str = ""
    kind: str = ""
    title: str = ""
    note: str = ""
    cells: list[Cell] = field(default_factory=list)


@dataclass(frozen=True)
class EndpointRow:
    """A webhook endpoint."""

    id: str = ""
    host: str = ""
    path: str = ""
    note: str = ""
    state: str = ""
    tone: str = ""
    detail: str = ""
    notified_of: str = ""
    """Of what, in a few words."""
    off: bool = False


@dataclass(frozen=True)
class Reader:
    """Somebody who is told by mail, and of what."""

    name: str = ""
    note: str = ""
    notified_of: str = ""


@dataclass(frozen=True)
class AttemptRow:
    """One try of a delivery."""

    number: str = ""
    when: str = ""
    result: str = ""
    tone: str = ""
    took: str = ""
    answer: str = ""


@dataclass(frozen=True)
class DeliveryRow:
    """One delivery."""

    id: str = ""
    when: str = ""
    title: str = ""
    kind: str = ""
    icon: str = ""
    receiver: str = ""
    state: str = ""
    tone: str = ""
    note: str = ""
    href: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class OpenedDelivery:
    """A delivery that is looked at."""

    visible: bool = False
    id: str = ""
    title: str = ""
    facts: list[Field] = field(default_factory=list)
    tries: list[AttemptRow] = field(default_factory=list)
    body: str = ""
    running: bool = False
