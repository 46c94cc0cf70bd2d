"""The page of alerts: from the view to what the screen shows. What is wrong comes first; else that it works."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from billing_app.domain.catalogue import Metric
from billing_app.domain.credits.thresholds import CREDIT_PERCENTS, PLAN_PERCENTS
from billing_app.domain.notifications.kinds import Kind, Topic
from billing_app.services.notifications.views import (
    AlertsView,
    AttemptAnswer,
    AudienceView,
    DeliveryAnswer,
    DeliveryDetailAnswer,
    WebhookAnswer,
)
from billing_app.services.overview.views_frame import FrameView
from billing_app.ui import routes
from billing_app.ui.kit.formats import Formats, clock, day, listed, moment_text
from billing_app.ui.kit.records import Choice, Field


@dataclass(frozen=True)
class Answer:
    """A sentence with its tone, and a quieter one."""

    sentence: str = ""
    tone: str = ""
    rest: str = ""


def answer(view: AlertsView) -> Answer:
    """What is wrong comes first; else that it works."""
    mail = _mail(view)
    off = [each for each in view.endpoints if each.disabled_at is not None]
    failing = [each for each in view.endpoints if each.disabled_at is None and each.failing_since is not None]
    if off:
        sentence = f"{name_of(off[0])} is switched off, so it hears of nothing."
        return Answer(sentence, "blocked", f"{off[0].disabled_reason} {mail}".strip())
    if failing:
        sentence = f"Nothing reaches {name_of(failing[0])} at the moment."
        return Answer(sentence, "soon", f"It is tried again for three days. {mail}")
    if not view.endpoints:
        people = sum(1 for each in view.audiences if each.kinds)
        if view.mail and people:
            return Answer(mail, "", "No program of yours is told. A webhook does that within seconds.")
        return Answer("Nobody is told of anything yet.", "soon", f"{mail} A webhook tells a program within seconds.")
    names = listed([name_of(each) for each in view.endpoints])
    verb = "hears" if len(view.endpoints) == 1 else "hear"
    arrived = max((each.arrived_at for each in view.endpoints if each.arrived_at is not None), default=None)
    if arrived is None:
        return Answer(f"{names} {verb} of what happens from now on.", "", f"Nothing was sent yet. {mail}")
    last = f"{day(arrived, view.now)}, {clock(arrived)} UTC"
    return Answer(f"{names} {verb} of what happens within seconds.", "", f"The last message arrived {last}. {mail}")


def name_of(endpoint: WebhookAnswer) -> str:
    """What people call an endpoint: its description, else its host."""
    return endpoint.description or urlsplit(endpoint.url).hostname or endpoint.url


def notified_of(kinds: Collection[str], view: AlertsView) -> str:
    """Of how much somebody is told."""
    known = len([kind for kind in view.kinds if kind.id in kinds])
    if known == len(view.kinds):
        return "everything"
    return "nothing" if not known else f"{known} of {len(view.kinds)} kinds"


def readers(view: AlertsView) -> list[Reader]:
    """Everybody who is told by mail, or could be."""
    found = []
    for each in view.audiences:
        if each.channel != "mail":
            continue
        note = each.email or (_people(each.people) if each.people else "nobody has this role")
        found.append(Reader(each.name, note, notified_of(each.kinds, view)))
    return found


def _mail(view: AlertsView) -> str:
    notified = [
        each for each in view.audiences if each.channel == "mail" and each.kinds and (each.people or each.email)
    ]
    if not view.mail:
        return "Nobody is mailed: no mail server is set up."
    if not notified:
        return "Nobody is told by mail."
    people = sum(each.people or 1 for each in notified)
    return f"{_people(people)} {'is' if people == 1 else 'are'} told by mail."


@dataclass(frozen=True)
class Column:
    """Somebody who can be told."""

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

    when: str = ""
    result: str = ""
    tone: str = ""
    took: str = ""
    answer: str = ""


@dataclass(frozen=True)
class DeliveryRow:
    """One delivery."""

    when: str = ""
    title: str = ""
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


STATE_NAMES = {"waiting": "Waiting", "failed": "Failed", "delivered": "Delivered"}
TONES = {"waiting": "soon", "delivered": "good", "failed": "blocked"}


@dataclass(frozen=True)
class AlertsScreen:
    """Everything that the page shows."""

    ready: bool = False
    mail: bool = False
    mail_columns: int = 3
    webhook_columns: int = 0
    columns: list[Column] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    others: list[Choice] = field(default_factory=list)
    answer: Answer = field(default_factory=Answer)
    readers: list[Reader] = field(default_factory=list)
    endpoints: list[EndpointRow] = field(default_factory=list)
    deliveries: list[DeliveryRow] = field(default_factory=list)
    older: str = ""
    states: list[Choice] = field(default_factory=list)
    state: str = "all"
    state_base: str = ""
    close_href: str = ""
    opened: OpenedDelivery = field(default_factory=OpenedDelivery)


def alerts_screen(view: AlertsView, frame: FrameView, formats: Formats, state: str = "") -> AlertsScreen:
    """The screen."""
    address = frame.organization.address
    chosen = state if state in STATE_NAMES else ""
    opened = view.opened
    return AlertsScreen(
        ready=True,
        mail=view.mail,
        mail_columns=sum(each.channel == "mail" for each in view.audiences),
        webhook_columns=sum(each.channel == "webhook" for each in view.audiences),
        columns=[_column(each) for each in view.audiences],
        lines=_lines(view, formats),
        others=[Choice(email, name if name == email else f"{name}, {email}") for email, name in view.others],
        answer=answer(view),
        readers=readers(view),
        endpoints=[_endpoint(each, view) for each in view.endpoints],
        deliveries=[
            _delivery(each, view, routes.alerts(address, state=chosen, delivery=each.id), opened)
            for each in view.deliveries
        ],
        older=f"Older ones can be read over the API, the last {len(view.deliveries)} are here." if view.more else "",
        states=[Choice("all", "All"), *(Choice(value, label) for value, label in STATE_NAMES.items())],
        state=chosen or "all",
        state_base=routes.alerts(address) + "?state=",
        close_href=routes.alerts(address, state=chosen),
        opened=_opened(opened, view) if opened else OpenedDelivery(),
    )


def _column(audience: AudienceView) -> Column:
    if audience.channel == "webhook":
        return Column(_short(audience.name), "", "", "webhook")
    if audience.email:
        return Column(audience.name, "", audience.email, "mail")
    return Column(audience.name, _people(audience.people) if audience.people else "nobody", "", "mail")


def _short(name: str) -> str:
    """The host of a URL; any other name as it is."""
    return urlsplit(name).hostname or name if "://" in name else name


def _lines(view: AlertsView, formats: Formats) -> list[Line]:
    lines: list[Line] = []
    for topic in Topic:
        kinds = [kind for kind in view.kinds if kind.topic == topic]
        if kinds:
            lines.append(Line(topic=topic.value.capitalize()))
            lines += [_line(kind, view, formats) for kind in kinds]
    return lines


def _line(kind: Kind, view: AlertsView, formats: Formats) -> Line:
    cells, before = [], "mail"
    for audience in view.audiences:
        label = f"{kind.title}: tell {audience.email or _short(audience.name)} by {audience.channel}"
        cells.append(Cell(audience.id, kind.id, kind.id in audience.kinds, label, audience.channel != before))
        before = audience.channel
    return Line(kind=kind.id, title=kind.title, note=_note(kind, view.example, formats), cells=cells)


def _note(kind: Kind, example: tuple[Metric, int] | None, formats: Formats) -> str:
    """What a kind means, thresholds in the figures of the reader's own plan."""
    if kind.id == "plan.usage" and example is not None:
        metric, allowance = example
        steps = [formats.quantity(metric, -(-percent * allowance // 100)) for percent in PLAN_PERCENTS]
        return f"{_percents(PLAN_PERCENTS)}, once each a month. For {metric.name}: at {listed(steps)}."
    if kind.id == "credits.used":
        return f"{_percents(CREDIT_PERCENTS)} of what there was after the latest grant."
    return kind.description


def _percents(percents: tuple[int, ...]) -> str:
    return f"At {listed([str(percent) for percent in percents])} %"


def _endpoint(endpoint: WebhookAnswer, view: AlertsView) -> EndpointRow:
    parts = urlsplit(endpoint.url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    state, tone, detail = "Working", "", ""
    if endpoint.disabled_at is not None:
        state, tone, detail = "Switched off", "blocked", endpoint.disabled_reason
    elif endpoint.failing_since is not None:
        since = f"{day(endpoint.failing_since, view.now)}, {clock(endpoint.failing_since)} UTC"
        state, tone, detail = "Failing", "soon", f"Nothing has arrived since {since}."
    elif endpoint.old_secret_until is not None and endpoint.old_secret_until > view.now:
        until = f"{day(endpoint.old_secret_until, view.now)}, {clock(endpoint.old_secret_until)} UTC"
        detail = f"The old secret signs too until {until}."
    if not detail and endpoint.arrived_at is not None:
        detail = f"Last message {day(endpoint.arrived_at, view.now)}, {clock(endpoint.arrived_at)} UTC."
    return EndpointRow(
        id=str(endpoint.id),
        host=parts.netloc,
        path="" if path == "/" else path,
        note=endpoint.description,
        state=state,
        tone=tone,
        detail=detail,
        notified_of=notified_of(_kinds_of(endpoint, view), view),
        off=endpoint.disabled_at is not None,
    )


def _kinds_of(endpoint: WebhookAnswer, view: AlertsView) -> frozenset[str]:
    return next((each.kinds for each in view.audiences if each.id.endswith(str(endpoint.id))), frozenset())


def _delivery(one: DeliveryAnswer, view: AlertsView, href: str, opened: DeliveryDetailAnswer | None) -> DeliveryRow:
    return DeliveryRow(
        when=f"{day(one.created_at, view.now)}, {clock(one.created_at)}",
        title=one.title,
        icon=one.channel,
        receiver=_receiver(one, view),
        state=STATE_NAMES[one.state],
        tone=TONES[one.state] if one.state != "waiting" or one.attempts else "",
        note=_outcome(one, view),
        href=href,
        chosen=opened is not None and opened.id == one.id,
    )


def _receiver(one: DeliveryAnswer, view: AlertsView) -> str:
    """As the list of endpoints calls it; what is there no more, by its address."""
    return next((name_of(each) for each in view.endpoints if each.id == one.target), _short(one.address))


def _outcome(one: DeliveryAnswer, view: AlertsView) -> str:
    """What is worth knowing beside the state."""
    tries = f"{one.attempts} tries" if one.attempts > 1 else ""
    if one.state == "delivered":
        return tries
    said = one.last.error if one.last else ""
    if one.state == "waiting" and one.next_try_at is not None and one.attempts:
        again = "again at " + (
            clock(one.next_try_at)
            if one.next_try_at.date() == view.now.date()
            else f"{day(one.next_try_at, view.now)}, {clock(one.next_try_at)}"
        )
        return f"{said} {again[0].upper()}{again[1:]}".strip()
    return said


def _opened(one: DeliveryDetailAnswer, view: AlertsView) -> OpenedDelivery:
    channel = "Webhook" if one.channel == "webhook" else "Mail"
    facts = [
        Field("Event", one.kind),
        Field(channel, one.address),
        Field("Happened", moment_text(one.occurred_at)),
        Field("State", STATE_NAMES[one.state], TONES[one.state]),
    ]
    if one.next_try_at is not None and one.attempts:
        facts.append(Field("Next try", moment_text(one.next_try_at)))
    if one.channel == "webhook":
        facts.append(Field("Id", one.message_id))
    body = (
        json.dumps(json.loads(one.body), indent=2, ensure_ascii=False) if one.channel == "webhook" and one.body else ""
    )
    tries = [_try(each, view) for each in one.log]
    return OpenedDelivery(True, str(one.id), one.title, facts, tries, body)


def _try(one: AttemptAnswer, view: AlertsView) -> AttemptRow:
    worked = "Arrived" if one.status is None else f"It answered {one.status}."
    return AttemptRow(
        when=f"{day(one.started_at, view.now)}, {clock(one.started_at)}",
        result=one.error or worked,
        tone="blocked" if one.error else "good",
        took=f"{one.duration_ms:,} ms",
        answer=one.answer,
    )


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"
